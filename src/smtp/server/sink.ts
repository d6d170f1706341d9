import type { BodyFacts, Envelope, Origin } from "../../mail/envelope.ts";
import type { HeaderReading } from "../../mail/headers.ts";

/** Why a message could not be stored; the session turns it into 451 or 452. */
export type StoreFailure = "full" | "unavailable";

/** What `commit` answers. Only `stored` may become a 250. */
export type CommitResult =
  | { readonly kind: "stored" }
  | { readonly kind: "failed"; readonly failure: StoreFailure };

/**
 * Takes one message. `write` is called for each piece in order, then exactly one of
 * `commit` and `abort`.
 */
export interface MessageWriter {
  /** The queue id the message has, or will have, in logs and trace fields. */
  readonly id: string;
  /**
   * Takes the next octets of the message, transparency removed. The chunk belongs to the
   * caller again as soon as the call returns, so the writer copies what it keeps. A returned
   * promise is back-pressure: the session waits for it. Never throws; a failure to store is
   * kept and told by `commit`.
   *
   * The first call brings the header section alone, and what is read of it.
   */
  write(chunk: Uint8Array, reading?: HeaderReading): void | Promise<void>;
  /**
   * Makes the message durable. When it resolves with `stored` the message is on disk with
   * its envelope and will be delivered or reported; nothing is permanent before that.
   */
  commit(facts: BodyFacts): Promise<CommitResult>;
  /** Forgets the message and frees what it held. */
  abort(): Promise<void>;
}

/** Where the server hands accepted mail. Declared here so that the server knows no queue. */
export interface MessageSink {
  /**
   * Starts a message with `head`, the trace fields that go in front of the client's octets.
   * `head` may depend on the queue id, so it is made by a function of it.
   */
  begin(
    message: {
      readonly envelope: Envelope;
      readonly origin: Origin;
      readonly head: (id: string) => Uint8Array;
    },
  ): MessageWriter;
}
