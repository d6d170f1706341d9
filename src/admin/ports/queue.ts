/** The queue, as operators see and command it. */
import type { MessageFilter, QueueCommand, QueueStore, Readdressing } from "../../queue/store.ts";

export type { Readdressing };

/** The queue. Every method throws `StoreError` when the store cannot do it. */
export interface QueuePort
  extends Pick<QueueStore, "list" | "count" | "countWithin" | "get" | "body" | "stats" | "shape"> {
  /** Applies a command to all that fit, tells the scheduler, and returns how many it changed. */
  command(request: {
    readonly filter: MessageFilter;
    readonly command: QueueCommand;
    /** Who does it, for the timeline. */
    readonly by: string;
  }): Promise<number>;
  /** Puts a message into the queue once more, as a new one. */
  sendAgain(request: SendAgainRequest): Promise<SendAgainResult>;
  /** Does that for all that fit; `refused` counts those that could not be sent. */
  sendAllAgain(
    request: SendAgainChanges & { readonly filter: MessageFilter; readonly by: string },
  ): Promise<{ readonly sent: number; readonly refused: number }>;
}

/** What is changed of messages that are sent once more. */
export interface SendAgainChanges {
  /** Absent means those that did not get it. */
  readonly recipients?: readonly string[];
  readonly reversePath?: string;
  /** The name of the route it takes, regardless of its match. */
  readonly route?: string;
  /** The name of the transport it takes, regardless of the routes. */
  readonly transport?: string;
}

/** What is to be sent once more, and what is changed of it. */
export interface SendAgainRequest extends SendAgainChanges {
  readonly id: string;
  readonly by: string;
  /** The octets in place of those that are kept. */
  readonly message?: Uint8Array;
}

export type SendAgainResult =
  | { readonly kind: "queued"; readonly id: string; readonly recipients: number }
  | { readonly kind: "refused"; readonly reason: string };
