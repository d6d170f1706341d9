import type { Identity } from "../../auth/authenticator.ts";
import type { Reply } from "../../mail/reply.ts";
import type { ServerTlsUpgrade } from "../../net/conn.ts";
import type { Channel } from "./channel.ts";
import type { Attributes } from "./client_claim.ts";
import type { SessionContext } from "./context.ts";
import type { SessionFacts } from "../../reception/facts.ts";
import type { SessionState } from "./state.ts";
import type { SessionTally } from "./tally.ts";

/** Why a session ended. */
export type CloseReason =
  | "quit"
  | "timeout"
  | "lost"
  | "refused"
  | "tls_failed"
  | "protocol"
  | "too_many_errors"
  | "too_many_commands"
  | "too_many_messages"
  | "too_many_octets"
  | "shutdown"
  | "error";

/** What verbs see of their session. */
export interface VerbSession extends SessionFacts {
  readonly context: SessionContext;
  /** Assigned by verbs; nothing else holds what a transaction knows. */
  state: SessionState;
  /** The connection, which a takeover owns until it is done. */
  readonly channel: Channel;
  readonly tally: SessionTally;
  /**
   * Makes the TLS handshake, throwing away what waits in the input, and forgets all that the
   * client said before (RFC 3207 section 4.2). False when it failed and the session is over.
   */
  secure(upgrade: ServerTlsUpgrade): Promise<boolean>;
  /** Whether the client authenticated by command. */
  readonly authenticated: boolean;
  /** Takes the client for who it proved to be. */
  authenticate(identity: Identity): void;
  /** Begins again as the client that a proxy names; the result is the greeting it gets. */
  assume(attributes: Attributes): Promise<VerbResult>;
}

/** What a verb comes to. */
export type VerbResult =
  | {
    readonly kind: "reply";
    readonly reply: Reply;
    /** What the log is told, where the reply does not tell it. */
    readonly cause?: string;
    /**
     * Set when a limit of this server is the reason, so that it counts as no error of the client;
     * `known` when the client and the log were told of it before.
     */
    readonly limit?: "reached" | "known";
  }
  /** The answer to a whole message or connection, which was told as an event already. */
  | { readonly kind: "verdict"; readonly reply: Reply }
  /** The session ends after the reply. */
  | { readonly kind: "end"; readonly reply: Reply; readonly reason: CloseReason }
  /** Nothing is to be said: the client speaks next. */
  | { readonly kind: "silent" }
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

/** A result that owns the input. */
export type Takeover = Extract<VerbResult, { kind: "takeover" }>;

/** A result after which the next command can come. */
export type Conclusion = Exclude<VerbResult, Takeover>;

/**
 * What a command needs on a listener that requires TLS or authentication: nothing (`open`), TLS
 * (`secured`), or both.
 */
export type VerbAccess = "open" | "secured" | "authenticated";

/** One command of the server. */
export interface Verb {
  readonly verb: string;
  /** The syntax, for HELP; empty where there is none to tell. */
  readonly syntax: string;
  /** What it does, for HELP. */
  readonly about: string;
  readonly access: VerbAccess;
  /** The refusal where the command is out of sequence (RFC 5321 4.1.4). */
  readonly check: (state: SessionState) => Reply | null;
  /** Called when `check` has nothing against it. */
  readonly run: (session: VerbSession, args: string) => VerbResult | Promise<VerbResult>;
  /** False where the reply must not wait for those of later commands (RFC 2920 section 3.2). */
  readonly pipelinable: boolean;
  /** The longest line of the command in octets, where it may be longer than others. */
  readonly maxLineBytes?: number;
  /** How the command is refused before `run`, where a reply is not all that is due. */
  readonly refuse?: (args: string, reply: Reply) => VerbResult;
}

/** Wraps a reply as the result of a verb. */
export function answer(reply: Reply, cause?: string): VerbResult {
  return cause === undefined ? { kind: "reply", reply } : { kind: "reply", reply, cause };
}

/** The result of a verb whose client is gone. */
export const GONE: VerbResult = { kind: "gone" };

/** For commands that are always in sequence. */
export function always(): null {
  return null;
}
