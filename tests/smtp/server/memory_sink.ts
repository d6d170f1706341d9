import { concatBytes, decodeText } from "../../../src/base/bytes.ts";
import type { BodyFacts, Envelope, Origin } from "../../../src/mail/envelope.ts";
import type { CommitResult, MessageSink, MessageWriter } from "../../../src/smtp/server/sink.ts";

/** A message that was committed. */
export interface StoredMessage {
  readonly id: string;
  readonly envelope: Envelope;
  readonly origin: Origin;
  /** The trace fields. */
  readonly head: string;
  /** The client's octets. */
  readonly body: Uint8Array;
  readonly facts: BodyFacts;
}

/** Keeps messages in memory and counts what was begun, so that a test sees what was left open. */
export class MemorySink implements MessageSink {
  readonly stored: StoredMessage[] = [];
  aborted = 0;
  begun = 0;
  /** What `commit` answers. */
  result: CommitResult | Promise<CommitResult> = { kind: "stored" };
  /** What `write` returns. */
  backPressure: () => void | Promise<void> = () => {};

  begin({ envelope, origin, head }: Parameters<MessageSink["begin"]>[0]): MessageWriter {
    const id = `MESSAGE${String(++this.begun).padStart(9, "0")}`;
    const trace = decodeText(head(id));
    const chunks: Uint8Array[] = [];
    return {
      id,
      write: (chunk) => {
        chunks.push(chunk.slice());
        return this.backPressure();
      },
      commit: async (facts) => {
        const result = await this.result;
        const body = concatBytes(chunks);
        // The session must not change the envelope afterwards, so a copy is what shows it.
        const message = { id, envelope: structuredClone(envelope), origin, head: trace };
        if (result.kind === "stored") this.stored.push({ ...message, body, facts });
        return result;
      },
      abort: () => {
        this.aborted++;
        return Promise.resolve();
      },
    };
  }
}
