import type { Clock } from "../base/clock.ts";
import type { MessageBatch } from "../ingress/batch_sink.ts";
import { type Reply, reply } from "../mail/reply.ts";
import { ACCEPT, type Decision, refuse } from "../policy/decision.ts";
import type { MessageSink, MessageWriter, StoreFailure } from "../smtp/server/sink.ts";

/** How long after a failure nothing new is begun; then one message finds out how things are. */
const HOLD_MS = 2_000;

const REPLIES: Readonly<Record<StoreFailure, Reply>> = {
  full: reply(452, "4.3.1", "Insufficient storage, try again later"),
  unavailable: reply(451, "4.3.0", "Cannot store messages now, try again later"),
};

/**
 * Remembers that the store just failed, so that clients are refused at MAIL instead of sending a
 * whole message in vain.
 */
export class StoreGuard implements MessageSink {
  readonly #sink: MessageSink;
  readonly #clock: Clock;
  #failure: { readonly decision: Decision; readonly atMs: number } | null = null;

  constructor(sink: MessageSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  /** Decides whether a message may be begun. */
  judge(): Decision {
    const failure = this.#failure;
    const isOld = failure === null || this.#clock.monotonic() - failure.atMs >= HOLD_MS;
    return isOld ? ACCEPT : failure.decision;
  }

  begin(message: Parameters<MessageSink["begin"]>[0]): MessageWriter {
    const writer = this.#sink.begin(message);
    return {
      id: writer.id,
      write: (chunk, reading) => writer.write(chunk, reading),
      abort: () => writer.abort(),
      commit: async (facts) => {
        const result = await writer.commit(facts);
        this.#note(result.kind === "failed" ? result.failure : null);
        return result;
      },
    };
  }

  /** The same for messages that are stored together. */
  guard(batch: MessageBatch): MessageBatch {
    return {
      get storedBytes() {
        return batch.storedBytes;
      },
      begin: (message) => batch.begin(message),
      abort: () => batch.abort(),
      commit: async () => {
        const result = await batch.commit();
        this.#note(result.kind === "failed" ? result.failure : null);
        return result;
      },
    };
  }

  #note(failure: StoreFailure | null): void {
    this.#failure = failure === null ? null : {
      decision: refuse(REPLIES[failure], `the store failed (${failure}) a moment ago`),
      atMs: this.#clock.monotonic(),
    };
  }
}
