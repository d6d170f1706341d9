import type { EnhancedCode } from "./enhanced_code.ts";
import type { BodyFacts, BodyType } from "./envelope.ts";
import type { Reply } from "./reply.ts";

/** The result of a recipient (RFC 3464 2.3.3). */
export type DsnAction = "failed" | "delayed" | "delivered" | "relayed" | "expanded";

/** One recipient that a notification tells of. */
export interface DsnRecipient {
  /** The mailbox that delivery was attempted to. */
  readonly mailbox: string;
  /** ORCPT as received, `addr-type;xtext`. */
  readonly originalRecipient?: string;
  readonly action: DsnAction;
  readonly status: EnhancedCode;
  /** What `remote` answered or, where that is null, what this relay found. */
  readonly reply: Reply;
  /** The host that gave the reply. */
  readonly remote: { readonly host: string; readonly address: string } | null;
  /** For `failed`: set when the time to deliver ran out and nothing was refused permanently. */
  readonly expired?: true;
  readonly lastAttemptAtMs: number;
  /** For `delayed`: when the relay gives up. */
  readonly willRetryUntilMs?: number;
}

/** The message that a notification is about. */
export interface DsnSubject {
  /** Its queue id. */
  readonly id: string;
  readonly arrivedAtMs: number;
  /** Its Subject field, decoded; empty when it has none. */
  readonly subject: string;
  /** Its Message-ID field; empty when it has none. */
  readonly messageId: string;
  /** ENVID as received, in xtext. */
  readonly envid?: string;
  readonly smtpUtf8: boolean;
}

/** The octets to return with a notification. */
export interface DsnOriginal {
  /** The message, or at least its beginning. */
  readonly bytes: Uint8Array;
  /** Whether `bytes` is all of it. */
  readonly whole: boolean;
  /** Whether all of it shall be returned; otherwise its header section. */
  readonly full: boolean;
}

/** Everything a notification is made of. */
export interface DsnRequest {
  /** Queue id of the notification itself. */
  readonly id: string;
  /** The mailbox it goes to: the reverse-path of the message. */
  readonly to: string;
  /** Name of this relay. */
  readonly reportingMta: string;
  readonly nowMs: number;
  readonly about: DsnSubject;
  /** At least one. */
  readonly recipients: readonly DsnRecipient[];
  /** Null when the octets of the message cannot be had. */
  readonly original: DsnOriginal | null;
  /** Set when `to` is not the sender but the postmaster, because the message has no sender. */
  readonly forPostmaster?: true;
}

/** A finished notification, to be sent from the null reverse-path (RFC 3464 section 2). */
export interface DsnMessage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly body: BodyType;
  /** Whether it can only be sent with SMTPUTF8. */
  readonly smtpUtf8: boolean;
  readonly facts: BodyFacts;
  readonly subject: string;
  readonly from: string;
  readonly messageId: string;
}

/** One body part: its MIME fields and its content. */
export interface DsnPart {
  readonly fields: readonly string[];
  readonly content: Uint8Array;
}
