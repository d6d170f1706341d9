import type { Mailbox } from "../../mail/address.ts";
import type { MessageHeader } from "../../mail/headers.ts";
import type { TlsInfo } from "../../net/conn.ts";
import { ANY_AUTHOR, type AuthorDecision } from "../../policy/authors.ts";
import { ACCEPT, type Decision } from "../../policy/decision.ts";

/** What is known of a session when something is decided about it. */
export interface SessionFacts {
  readonly sessionId: string;
  readonly listener: string;
  /** IP address without brackets. */
  readonly clientAddress: string;
  readonly clientPort: number;
  /** The argument of HELO or EHLO; empty before it. */
  readonly helo: string;
  /** Whether it was EHLO. */
  readonly esmtp: boolean;
  readonly tls: TlsInfo | null;
  /** The authenticated user. */
  readonly user: string | null;
}

/** A recipient that a client asks for. */
export interface RecipientRequest {
  readonly recipient: Mailbox;
  /** Whether a source route was dropped from the forward-path. */
  readonly routed: boolean;
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  /** Whether it is an alias of this relay. */
  readonly alias: boolean;
  /** How many recipients the message has already. */
  readonly recipientCount: number;
}

/**
 * Decides what a session may do. Declared here so that the server knows no rules; whoever builds
 * the server brings them. A value where it is at hand is better than a promise.
 */
export interface ServerPolicy {
  /** Before the greeting. A refusal with 421 closes the connection. */
  connect(facts: SessionFacts): Decision | Promise<Decision>;
  /** Before each command; a refusal ends the session. */
  command(facts: SessionFacts): Decision;
  /** The client named itself; `facts` have the new name. */
  helo(facts: SessionFacts): Decision | Promise<Decision>;
  /** `sender` is null for the null reverse-path. */
  mail(facts: SessionFacts, request: { sender: Mailbox | null }): Decision | Promise<Decision>;
  /** Asked for every recipient but Postmaster without a domain (RFC 5321 4.5.1). */
  rcpt(facts: SessionFacts, request: RecipientRequest): Decision | Promise<Decision>;
  /** Whether the client may send in the names of the authors that the header section has. */
  authors(facts: SessionFacts, header: MessageHeader): AuthorDecision;
  /**
   * Whether the client may send to anyone, and so ask for what would not be done for a stranger:
   * held and urgent mail, the members of a list, the start of a queue.
   */
  trusts(facts: SessionFacts): boolean;
  /**
   * Whether Bcc fields are taken off the client's messages, because it hands in what users wrote
   * (RFC 5322 3.6.3).
   */
  hidesBcc(facts: SessionFacts): boolean;
  /** Whether a peer may name the client it speaks for (XCLIENT, XFORWARD). */
  speaksForOthers(peerAddress: string): boolean;
  /** Octets that a message of the client may have besides the listener's limit; 0 for no limit. */
  messageBytes(facts: SessionFacts): number;
}

/** Lets everything pass, and trusts nobody with more. */
export const OPEN_POLICY: ServerPolicy = {
  connect: () => ACCEPT,
  command: () => ACCEPT,
  helo: () => ACCEPT,
  mail: () => ACCEPT,
  rcpt: () => ACCEPT,
  authors: () => ANY_AUTHOR,
  trusts: () => false,
  hidesBcc: () => false,
  speaksForOthers: () => false,
  messageBytes: () => 0,
};
