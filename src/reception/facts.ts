import type { Mailbox } from "../mail/address.ts";
import type { MessageHeader } from "../mail/headers.ts";
import type { TlsInfo } from "../net/conn.ts";
import type { SenderRules } from "../policy/user_sender.ts";

/** What is known of a client when something is decided about its mail, by SMTP or by HTTP. */
export interface SessionFacts {
  /** Empty for a request by HTTP. */
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
  /** What the key of an HTTP request may send as; absent where the user's account says it. */
  readonly senderRules?: SenderRules;
}

/** A sender that a client names. */
export interface MailRequest {
  /** Null for the null reverse-path. */
  readonly sender: Mailbox | null;
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
}

/** The header section of a message, in the form in which it would be stored. */
export interface ContentRequest {
  readonly header: MessageHeader;
  /** The most Received fields (RFC 5321 6.3 asks for at least 100). */
  readonly maxHops: number;
  /** The name of this host in its own Received fields. */
  readonly hostname: string;
  /** The section as the client sent it; absent where it need not be well formed. */
  readonly received?: { readonly header: MessageHeader; readonly hasBody: boolean };
}
