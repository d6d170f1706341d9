/** The queue, as operators see and command it. */
import type { MessageFilter, QueueCommand, QueueStore } from "../../queue/store.ts";

/** The queue. Every method throws `StoreError` when the store cannot do it. */
export interface QueuePort extends Pick<QueueStore, "list" | "count" | "get" | "body" | "stats"> {
  /** Applies a command to all that fit, tells the scheduler, and returns how many it changed. */
  command(request: {
    readonly filter: MessageFilter;
    readonly command: QueueCommand;
    /** Who does it, for the timeline. */
    readonly by: string;
  }): Promise<number>;
  /** Puts a message into the queue once more, as a new one. */
  sendAgain(request: SendAgainRequest): Promise<SendAgainResult>;
}

/** What is to be sent once more, and what is changed of it. */
export interface SendAgainRequest {
  readonly id: string;
  readonly by: string;
  /** Absent means those that did not get it. */
  readonly recipients?: readonly string[];
  readonly reversePath?: string;
  /** The name of the route it takes, whatever fits. */
  readonly route?: string;
  /** The octets in place of those that are kept. */
  readonly message?: Uint8Array;
}

export type SendAgainResult =
  | { readonly kind: "queued"; readonly id: string; readonly recipients: number }
  | { readonly kind: "refused"; readonly reason: string };
