import type { Stage } from "./stage.ts";

/** How a connection ended before the reply came. */
export type LossCause =
  /** The server closed its side in order. */
  | "closed"
  /** The connection was reset, or the network broke it. */
  | "reset"
  /** The server took longer than the stage allows. */
  | "timeout"
  /** What came was no reply, or not one that fits here; the dialogue is out of step. */
  | "out_of_step"
  /** The TLS handshake failed. */
  | "tls"
  /** This side gave up. */
  | "aborted";

/** A connection that ended before the reply came; it is closed on this side also. */
export class ConnectionLost {
  /** What was waited for. */
  readonly stage: Stage;
  readonly cause: LossCause;
  /** The error or the line that tells more; for logs. */
  readonly detail: unknown;

  constructor(stage: Stage, { cause, detail }: { cause: LossCause; detail?: unknown }) {
    this.stage = stage;
    this.cause = cause;
    this.detail = detail;
  }
}
