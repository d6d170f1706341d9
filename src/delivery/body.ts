import { concatBytes, encodeText } from "../base/bytes.ts";
import type { BodyOptions, MessageRecord, QueueStore } from "../queue/store.ts";
import type { WindowEntry } from "./window.ts";
import type { MessageBody } from "./transport.ts";

/** The octets of a message are not where the store says; an operator has to look. */
export class BodyGoneError extends Error {
  override readonly name = "BodyGoneError";
}

/**
 * The octets of a message in the window, with the fields that stand in front of them: from memory,
 * or streamed from the store.
 */
export function bodyOf(store: QueueStore, { message, bytes }: WindowEntry): MessageBody {
  const { facts: { sizeBytes }, prefix } = message;
  if (bytes !== null) {
    const all = prefix === undefined ? bytes : concatBytes([encodeText(prefix), bytes]);
    return new InlineBody(all);
  }
  return { sizeBytes, bytes: null, stream: (options) => streamFromStore(store, message, options) };
}

class InlineBody implements MessageBody {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }

  async *stream({ from = 0 }: BodyOptions = {}): AsyncIterable<Uint8Array> {
    yield await Promise.resolve(this.bytes.subarray(from));
  }
}

async function* streamFromStore(
  store: QueueStore,
  { id, prefix }: MessageRecord,
  { from = 0, ...options }: BodyOptions = {},
): AsyncIterable<Uint8Array> {
  const front = prefix === undefined ? null : encodeText(prefix);
  const frontBytes = front?.length ?? 0;
  const chunks = await store.body(id, { ...options, from: Math.max(0, from - frontBytes) });
  if (chunks === null) {
    throw new BodyGoneError(`Cannot read the body of ${id}: it is not in the store`);
  }
  if (front !== null && from < frontBytes) yield front.subarray(from);
  yield* chunks;
}
