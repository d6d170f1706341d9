import type { Reply } from "../mail/reply.ts";
import type { SenderCheck } from "../policy/user_sender.ts";

/** Who hands in a message. */
export interface Submitter {
  /** As it stands in trace fields and timelines; null for somebody without credentials. */
  readonly user: string | null;
  /** What tells it from others of its name; the name where it is not said. */
  readonly identity?: string;
  /**
   * Whole mailboxes it may send as, in which `*` stands for any run of characters and an empty one
   * for the null reverse-path; null for all.
   */
  readonly senders: readonly string[] | null;
  /** Where it is held to them; for the reverse-path and the authors where it is not said. */
  readonly senderCheck?: SenderCheck;
  /** IP address without brackets; empty for a local socket. */
  readonly clientAddress: string;
}

/** A message as it is handed in. */
export interface SubmittedMessage {
  /** Empty for the null reverse-path. */
  readonly from: string;
  /** Mailboxes; each gets the message once. */
  readonly to: readonly string[];
  /** The octets of a whole message (RFC 5322), with line ends of any kind. */
  readonly message: AsyncIterable<Uint8Array> | Uint8Array;
  /** When it may leave at the earliest. */
  readonly holdUntilMs?: number;
  /** Set where the message needs SMTPUTF8, whatever its envelope (RFC 6531 section 3.1). */
  readonly smtpUtf8?: boolean;
}

/** What concerns a request as a whole. */
export interface SubmissionRequest {
  readonly by: Submitter;
  /** The request's name: of several requests with one name only the first hands in a message. */
  readonly key?: string;
  /**
   * What tells the request from another of the same name, where its octets do not: a message that
   * is made from fields gets another date and other names each time.
   */
  readonly fingerprint?: string;
  /** The trace that the request is part of (W3C Trace Context 3.2); passed over when malformed. */
  readonly traceparent?: string;
}

/** A request with one message. */
export type Submission = SubmissionRequest & SubmittedMessage;

/** A request with several messages, which are taken together or not at all. */
export interface BatchSubmission extends SubmissionRequest {
  readonly messages: readonly SubmittedMessage[];
}

/** A recipient that would not get the message. */
export interface RefusedRecipient {
  readonly mailbox: string;
  readonly reply: Reply;
}

/** Why nothing was taken. */
export type SubmissionFailure =
  /** As an SMTP client would have been told; a code below 500 means that later may be better. */
  | {
    readonly kind: "refused";
    readonly reply: Reply;
    /** The position of the message that it is about. */
    readonly index: number;
    /** The recipients that were refused, as they were given, when it is about recipients. */
    readonly recipients?: readonly RefusedRecipient[];
  }
  | { readonly kind: "failed"; readonly failure: "full" | "unavailable" }
  /** Another message was, or is being, handed in by a request of the same name. */
  | { readonly kind: "conflict"; readonly reason: "other_message" | "under_way" };

/** What became of a message that was handed in. */
export type SubmissionResult =
  /** It is durable. `repeated`: it has been since an earlier request of the same name. */
  | { readonly kind: "queued"; readonly id: string; readonly repeated: boolean }
  | SubmissionFailure;

/** What became of messages that were handed in together. */
export type BatchResult =
  | { readonly kind: "queued"; readonly ids: readonly string[]; readonly repeated: boolean }
  | SubmissionFailure;
