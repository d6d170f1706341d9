import type { Reply } from "../../mail/reply.ts";
import type { InputBuffer } from "../wire/input_buffer.ts";
import type { SessionContext } from "./context.ts";
import type { SessionFacts } from "./policy.ts";
import type { SessionState } from "./state.ts";

/** Why a session ended. */
export type CloseReason =
  | "quit"
  | "timeout"
  | "lost"
  | "refused"
  | "too_many_errors"
  | "shutdown"
  | "error";

/** What verbs see of their session. */
export interface VerbSession extends SessionFacts {
  readonly context: SessionContext;
  /** Assigned by verbs; nothing else holds what a transaction knows. */
  state: SessionState;
  readonly input: InputBuffer;
  /**
   * Reads once into `input`. False when the session is over: the client left, the time was up,
   * or the relay is being stopped the hard way.
   */
  fill(timeoutMs: number): Promise<boolean>;
}

/** What a verb comes to. */
export type VerbResult =
  | {
    readonly kind: "reply";
    readonly reply: Reply;
    /** What the log is told, where the reply does not tell it. */
    readonly cause?: string;
  }
  /** The answer to a whole message, which was told as an event already. */
  | { readonly kind: "verdict"; readonly reply: Reply }
  /** The session ends after the reply. */
  | { readonly kind: "end"; readonly reply: Reply; readonly reason: CloseReason }
  /** The session ended already; nobody is left to be answered. */
  | { readonly kind: "gone" }
  /**
   * The reply goes out, then `run` owns the input until it is done: a message, a TLS handshake,
   * an authentication exchange.
   */
  | {
    readonly kind: "takeover";
    readonly reply: Reply | null;
    readonly run: (session: VerbSession) => Promise<VerbResult>;
  };

/** One command of the server. */
export interface Verb {
  readonly verb: string;
  /** The syntax, for HELP. */
  readonly syntax: string;
  /** The refusal where the command is out of sequence (RFC 5321 4.1.4). */
  readonly check: (state: SessionState) => Reply | null;
  /** Called when `check` has nothing against it. */
  readonly run: (session: VerbSession, args: string) => VerbResult | Promise<VerbResult>;
  /** False where the reply must not wait for those of later commands (RFC 2920 section 3.2). */
  readonly pipelinable: boolean;
}

/** Wraps a reply as the result of a verb. */
export function answer(reply: Reply, cause?: string): VerbResult {
  return cause === undefined ? { kind: "reply", reply } : { kind: "reply", reply, cause };
}

/** For commands that are always in sequence. */
export function always(): null {
  return null;
}
