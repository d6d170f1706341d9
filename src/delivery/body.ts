import type { QueueStore } from "../queue/store.ts";
import type { WindowEntry } from "./window.ts";
import type { MessageBody } from "./transport.ts";

/** The octets of a message are not where the store says; an operator has to look. */
export class BodyGoneError extends Error {
  override readonly name = "BodyGoneError";
}

/** The octets of a message in the window: from memory, or streamed from the store. */
export function bodyOf(store: QueueStore, { message, bytes }: WindowEntry): MessageBody {
  const sizeBytes = message.facts.sizeBytes;
  if (bytes !== null) return new InlineBody(bytes);
  return { sizeBytes, bytes: null, stream: () => streamFromStore(store, message.id) };
}

class InlineBody implements MessageBody {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  async *stream(): AsyncIterable<Uint8Array> {
    yield await Promise.resolve(this.bytes);
  }
}

async function* streamFromStore(store: QueueStore, messageId: string): AsyncIterable<Uint8Array> {
  const chunks = await store.body(messageId);
  if (chunks === null) {
    throw new BodyGoneError(`Cannot read the body of ${messageId}: it is not in the store`);
  }
  yield* chunks;
}
