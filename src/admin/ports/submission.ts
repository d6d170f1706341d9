/** Mail that comes in over HTTP. */

import type { SenderCheck } from "./access.ts";

/** Puts messages of applications and operators into the queue, by the rules of SMTP clients. */
export interface SubmissionPort {
  /** Octets that a message may have; 0 for no limit. */
  readonly limitBytes: number;
  /** Makes the message durable and returns its queue id. */
  submit(request: SubmitRequest): Promise<SubmitResult>;
}

export interface SubmitRequest {
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  /** A whole message, RFC 5322. */
  readonly message: Uint8Array | AsyncIterable<Uint8Array>;
  readonly by: string;
  /** What tells it from others of its name. */
  readonly identity?: string;
  /** As in `ApiKey`; absent means all. */
  readonly senders?: readonly string[] | null;
  readonly senderCheck?: SenderCheck;
  /** Address of the sender's computer, for the trace field. */
  readonly clientAddress: string;
  /** When it may leave at the earliest. */
  readonly holdUntilMs?: number;
  /** The request's name: of several with one name only the first puts a message into the queue. */
  readonly key?: string;
  /** Set where the message needs SMTPUTF8, regardless of its envelope. */
  readonly smtpUtf8?: boolean;
  /** The trace that the request is part of (W3C Trace Context 3.2), as it came. */
  readonly traceparent?: string;
  /** What tells the request from another of that name, where the message's octets do not. */
  readonly fingerprint?: string;
}

/** Why a message was not taken; `later`: it may be when it is tried again. */
export type SubmitRefusal =
  | "refused"
  | "too_large"
  | "too_many_recipients"
  | "later"
  | "full"
  | "unavailable"
  | "key_taken"
  | "under_way";

export type SubmitResult =
  /** `repeated`: by an earlier request of the same name. */
  | { readonly kind: "queued"; readonly id: string; readonly repeated: boolean }
  | {
    readonly kind: "refused";
    readonly why: SubmitRefusal;
    readonly reason: string;
    /** When it is because of recipients: those, each with what an SMTP client would be told. */
    readonly recipients?: readonly { readonly address: string; readonly reply: string }[];
  };
