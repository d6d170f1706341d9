import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { composeMessage } from "../../mail/compose/compose.ts";
import { type Draft, needsSmtpUtf8 } from "../../mail/compose/draft.ts";
import { formatReply } from "../../mail/reply.ts";
import type { SenderCheck } from "../../policy/user_sender.ts";
import type { BatchResult, Submitter } from "../submission.ts";
import type { MessageSubmitter } from "../submitter.ts";

/** A key that requests come with; an admin's `ApiKey` has this shape. */
export interface SendingKey {
  /** What tells it from others of its name. */
  readonly id: string;
  readonly name: string;
  /** Whether it may hand in mail. */
  readonly send: boolean;
  readonly senders: readonly string[] | null;
  /** Where they hold; both where it is not said. */
  readonly senderCheck?: SenderCheck;
}

/** The keys of a relay. */
export interface KeyRing {
  /** The key that a secret belongs to. */
  verify(secret: string): Promise<SendingKey | null>;
  /** A key of the configuration by its name, for requests that are signed with its secret. */
  sharedSecret(name: string): { readonly key: SendingKey; readonly secret: string } | null;
}

/** Failed attempts to show a key, by client address. */
export interface FailureCount {
  /** How long an address must wait; 0 for not at all. */
  waitMs(address: string): number;
  fail(address: string): void;
}

export interface CompatOptions {
  readonly submitter: Pick<MessageSubmitter, "submitAll" | "limits">;
  readonly keys: KeyRing;
  readonly failures: FailureCount;
  readonly clock: Clock;
  readonly random: Random;
}

/** Where a request comes from. */
export interface RequestOrigin {
  /** IP address without brackets; empty for a local socket. */
  readonly clientAddress: string;
  /** The trace that the request is part of, as it is given. */
  readonly traceparent?: string;
}

/** Who makes a request. */
export interface CompatCaller extends RequestOrigin {
  readonly key: SendingKey;
}

/** A message out of a request. */
export interface Letter {
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  /** Fields to make a message of, or the octets of one. */
  readonly content: Draft | Uint8Array;
  readonly holdUntilMs?: number;
}

/** What concerns a request as a whole. */
export interface CompatRequest {
  /** The name of the request, and what tells it from another of that name. */
  readonly once?: { readonly key: string; readonly fingerprint: string };
}

/** Why letters were not taken, for an API to say in its own words. */
export interface Refusal {
  readonly kind: "refused";
  /** `message`: it will never be taken as it is; `later`: it may be when it is tried again. */
  readonly why: "message" | "too_large" | "later" | "conflict";
  readonly text: string;
  /** The position of the letter that it is about; null for the request as a whole. */
  readonly index: number | null;
}

/** What became of a letter. */
export type Handed = { readonly kind: "queued"; readonly id: string } | Refusal;
/** What became of letters that are taken together or not at all. */
export type HandedAll = { readonly kind: "queued"; readonly ids: readonly string[] } | Refusal;

/** Hands letters in, whatever API they came by. */
export class CompatDesk {
  readonly #options: CompatOptions;

  constructor(options: CompatOptions) {
    this.#options = options;
  }

  get hostname(): string {
    return this.#options.submitter.limits.hostname;
  }

  /** Octets that a message may have; 0 for no limit. */
  get messageBytes(): number {
    return this.#options.submitter.limits.messageBytes;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** The key of a secret, if it may send; null counts against the address. */
  async admit(secret: string, origin: RequestOrigin): Promise<CompatCaller | null> {
    const { clientAddress } = origin;
    if (this.isBarred(clientAddress)) return null;
    const key = secret === "" ? null : await this.#options.keys.verify(secret);
    // Of guesses side by side, those past the limit learn nothing, not even a good one.
    if (this.isBarred(clientAddress)) return null;
    if (key?.send === true) return { key, ...origin };
    this.refuseCredentials(clientAddress);
    return null;
  }

  /** The shared secret of a key by its name, if it may send. */
  sharedSecret(name: string): { readonly key: SendingKey; readonly secret: string } | null {
    const found = this.#options.keys.sharedSecret(name);
    return found?.key.send === true ? found : null;
  }

  /** Whether an address had too many wrong credentials and has to wait. */
  isBarred(clientAddress: string): boolean {
    return this.#options.failures.waitMs(clientAddress) > 0;
  }

  /** Counts a request whose credentials were wrong. */
  refuseCredentials(clientAddress: string): void {
    this.#options.failures.fail(clientAddress);
  }

  /** Puts a letter into the queue; it is on disk when this says `queued`. */
  async handIn(caller: CompatCaller, letter: Letter): Promise<Handed> {
    const handed = await this.handInAll(caller, { letters: [letter] });
    return handed.kind === "queued" ? { kind: "queued", id: handed.ids[0] ?? "" } : handed;
  }

  /** Puts all letters into the queue or none; they are on disk when this says `queued`. */
  async handInAll(
    { key, clientAddress, traceparent }: CompatCaller,
    { letters, once }: CompatRequest & { readonly letters: readonly Letter[] },
  ): Promise<HandedAll> {
    // One for all, so that those with the same content share their octets in the queue.
    const boundary = this.#unique();
    const messages = letters.map(({ from, to, holdUntilMs, content }, index) => ({
      ...{ from, to, message: this.#octetsOf(content, { index, boundary }) },
      ...(holdUntilMs === undefined ? {} : { holdUntilMs }),
      smtpUtf8: !(content instanceof Uint8Array) && needsSmtpUtf8(content),
    }));
    try {
      const result = await this.#options.submitter.submitAll({
        by: submitterOf(key, clientAddress),
        ...{ ...once, messages },
        ...(traceparent === undefined ? {} : { traceparent }),
      });
      return handedOf(result, letters.length);
    } catch (error) {
      if (!(error instanceof NoMessageError)) throw error;
      const { message, index } = error;
      return { ...refusal("message", `${placeOf(index, letters.length)}${message}`), index };
    }
  }

  /** The octets of a message, made when they are asked for: those of many would be large. */
  #octetsOf(
    content: Draft | Uint8Array,
    place: { index: number; boundary: string },
  ): Uint8Array | AsyncIterable<Uint8Array> {
    return content instanceof Uint8Array ? content : this.#composed(content, place);
  }

  #unique(): string {
    return this.#options.random.fill(new Uint8Array(18)).toBase64({ alphabet: "base64url" });
  }

  async *#composed(
    draft: Draft,
    { index, boundary }: { index: number; boundary: string },
  ): AsyncGenerator<Uint8Array> {
    const nowMs = this.#options.clock.now();
    const context = { hostname: this.hostname, nowMs, unique: this.#unique(), boundary };
    const composed = composeMessage(draft, context);
    if (composed.kind === "refused") throw new NoMessageError(composed.reason, index);
    yield composed.bytes;
  }
}

/** A letter cannot be written down as a message. */
class NoMessageError extends Error {
  readonly index: number;

  constructor(reason: string, index: number) {
    super(reason);
    this.index = index;
  }
}

/** What tells a request from another of the same name. */
export function fingerprintOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

function handedOf(result: BatchResult, count: number): HandedAll {
  switch (result.kind) {
    case "queued":
      return { kind: "queued", ids: result.ids };
    case "failed":
      return refusal("later", "The queue is temporarily unavailable");
    case "conflict":
      return refusal("conflict", "This idempotency key belongs to another request");
    case "refused": {
      const { reply, recipients = [], index } = result;
      const about = recipients.map(({ mailbox }) => ` (${mailbox})`)[0] ?? "";
      const text = `${placeOf(index, count)}${formatReply(reply)}${about}`;
      if (reply.enhanced === "5.3.4") return { ...refusal("too_large", text), index };
      // RFC 5321 4.2.1: 4yz is for now; but of too many recipients later means nothing.
      const isForNow = reply.code < 500 && reply.enhanced !== "4.5.3";
      return { ...refusal(isForNow ? "later" : "message", text), index };
    }
  }
}

/** How a refusal names one of several letters. */
export function placeOf(index: number, count: number): string {
  return count > 1 ? `Message ${index + 1} of ${count}: ` : "";
}

function refusal(why: Refusal["why"], text: string): Refusal {
  return { kind: "refused", why, text, index: null };
}

function submitterOf(
  { id, name, senders, senderCheck = "both" }: SendingKey,
  clientAddress: string,
): Submitter {
  return { user: `key ${name}`, identity: `key ${id}`, senders, senderCheck, clientAddress };
}
