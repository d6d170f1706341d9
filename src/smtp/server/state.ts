import { isAsciiText, parseDomain } from "../../mail/address.ts";
import type { Reply } from "../../mail/reply.ts";
import type { IncomingMessage } from "./incoming_message.ts";
import type { BodyType, EnvelopeExtras, Notify, Recipient } from "../../mail/envelope.ts";

/** How the client introduced itself. */
export interface Greeting {
  /** The argument of HELO or EHLO in ASCII, as `asciiHelo` makes it. */
  readonly helo: string;
  readonly esmtp: boolean;
}

/**
 * The name of a client as it may stand in trace fields, checks and logs, which are in ASCII: a
 * domain in U-labels becomes its A-labels (RFC 6531 section 3.7.3), any other octets `?`.
 */
export function asciiHelo(name: string): string {
  if (isAsciiText(name)) return name;
  return parseDomain(name) ?? name.replace(/[^\p{ASCII}]/gu, "?");
}

/** What the parameters of MAIL say; their handlers fill it in. */
export interface MailParams {
  body: BodyType;
  smtpUtf8: boolean;
  /** What the reply to MAIL says where it is not the usual. */
  note?: Reply;
  readonly extras: { -readonly [Key in keyof EnvelopeExtras]: EnvelopeExtras[Key] };
}

/** What the parameters of RCPT say; their handlers fill it in. */
export interface RcptParams {
  notify?: readonly Notify[];
  originalRecipient?: string;
}

/** A mail transaction (RFC 5321 3.3), from MAIL to the end of its data. */
export interface Transaction {
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  readonly params: MailParams;
  readonly recipients: Recipient[];
  /** Aliases whose members are among them, where the sender wants to hear of success. */
  readonly expanded: Recipient[];
  /** Octets the message may have; 0 means no limit. */
  readonly maxBytes: number;
  /** How many RCPT commands were accepted; an alias makes more recipients of one. */
  acceptedRecipients: number;
  /** How many RCPT commands were refused. */
  refusedRecipients: number;
  /** Whether the client was told that there are too many. */
  isFull: boolean;
  /** The message, once its octets began to arrive. */
  message: IncomingMessage | null;
}

/**
 * What a session is in. Leaving `transaction`, by RSET, EHLO, STARTTLS or the end of the data, is
 * one assignment and leaves nothing behind.
 */
export type SessionState =
  /** Nobody introduced themselves. */
  | { readonly kind: "start" }
  /** The connection was refused with 554; only QUIT is left (RFC 5321 3.1). */
  | { readonly kind: "rejected" }
  | { readonly kind: "ready"; readonly greeting: Greeting }
  | {
    readonly kind: "transaction";
    readonly greeting: Greeting;
    readonly transaction: Transaction;
  };

/** The state of a new session. */
export const START: SessionState = { kind: "start" };

/** The message that is under way. */
export function messageOf(state: SessionState): IncomingMessage | null {
  return state.kind === "transaction" ? state.transaction.message : null;
}

/** The state after the transaction, if there is one, was forgotten. */
export function withoutTransaction(state: SessionState): SessionState {
  return state.kind === "transaction" ? { kind: "ready", greeting: state.greeting } : state;
}

/**
 * The transaction a command belongs to.
 *
 * @throws Error when there is none, which the check of the command has to rule out.
 */
export function transactionOf(state: SessionState): Transaction {
  if (state.kind === "transaction") return state.transaction;
  throw new Error(`Cannot use the transaction: there is none, got state ${state.kind}`);
}

/**
 * How the client introduced itself.
 *
 * @throws Error when it did not, which the check of the command has to rule out.
 */
export function greetingOf(state: SessionState): Greeting {
  if (state.kind === "ready" || state.kind === "transaction") return state.greeting;
  throw new Error(`Cannot use the greeting: there is none, got state ${state.kind}`);
}
