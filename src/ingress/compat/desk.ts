import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { composeMessage } from "../../mail/compose/compose.ts";
import type { Draft } from "../../mail/compose/draft.ts";
import { formatReply } from "../../mail/reply.ts";
import type { SubmissionResult } from "../submission.ts";
import type { MessageSubmitter } from "../submitter.ts";

/** A key that requests come with; an admin's `ApiKey` has this shape. */
export interface SendingKey {
  readonly name: string;
  /** Whether it may hand in mail. */
  readonly send: boolean;
  readonly senders: readonly string[] | null;
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
  readonly submitter: Pick<MessageSubmitter, "submit" | "limits">;
  readonly keys: KeyRing;
  readonly failures: FailureCount;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who makes a request. */
export interface CompatCaller {
  readonly key: SendingKey;
  /** IP address without brackets; empty for a local socket. */
  readonly clientAddress: string;
}

/** A message out of a request. */
export interface Letter {
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  /** Fields to make a message of, or the octets of one. */
  readonly content: Draft | Uint8Array;
  readonly holdUntilMs?: number;
  /** The name of the request, and what tells it from another of that name. */
  readonly once?: { readonly key: string; readonly fingerprint: string };
}

/** What became of a letter, for an API to say in its own words. */
export type Handed =
  | { readonly kind: "queued"; readonly id: string }
  | {
    readonly kind: "refused";
    /** `message`: it will never be taken as it is; `later`: it may be when it is tried again. */
    readonly why: "message" | "too_large" | "later" | "conflict";
    readonly text: string;
  };

/** Hands letters in, whatever API they came by. */
export class CompatDesk {
  readonly #options: CompatOptions;

  constructor(options: CompatOptions) {
    this.#options = options;
  }

  get hostname(): string {
    return this.#options.submitter.limits.hostname;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** The key of a secret, if it may send; null counts against the address. */
  async admit(secret: string, clientAddress: string): Promise<CompatCaller | null> {
    if (this.#options.failures.waitMs(clientAddress) > 0) return null;
    const key = secret === "" ? null : await this.#options.keys.verify(secret);
    if (key?.send === true) return { key, clientAddress };
    this.#options.failures.fail(clientAddress);
    return null;
  }

  /** The shared secret of a key by its name, if it may send. */
  sharedSecret(name: string): { readonly key: SendingKey; readonly secret: string } | null {
    const found = this.#options.keys.sharedSecret(name);
    return found?.key.send === true ? found : null;
  }

  /** Counts a request whose signature was wrong; true when its address has to wait. */
  isBarred(clientAddress: string): boolean {
    return this.#options.failures.waitMs(clientAddress) > 0;
  }

  refuseCredentials(clientAddress: string): void {
    this.#options.failures.fail(clientAddress);
  }

  /** Puts a letter into the queue; it is on disk when this says `queued`. */
  async handIn({ key, clientAddress }: CompatCaller, letter: Letter): Promise<Handed> {
    const octets = this.#octetsOf(letter.content);
    if (typeof octets === "string") return { kind: "refused", why: "message", text: octets };
    const { from, to, once, holdUntilMs } = letter;
    return handedOf(
      await this.#options.submitter.submit({
        ...{ from, to, message: octets },
        by: { user: `key ${key.name}`, senders: key.senders, clientAddress },
        ...(holdUntilMs === undefined ? {} : { holdUntilMs }),
        ...once,
      }),
    );
  }

  /** The octets of a message, or why there are none. */
  #octetsOf(content: Draft | Uint8Array): Uint8Array | string {
    if (content instanceof Uint8Array) return content;
    const { clock, random } = this.#options;
    const unique = random.fill(new Uint8Array(18)).toBase64({ alphabet: "base64url" });
    const context = { hostname: this.hostname, nowMs: clock.now(), unique };
    const composed = composeMessage(content, context);
    return composed.kind === "composed" ? composed.bytes : composed.reason;
  }
}

/** What tells a request from another of the same name. */
export function fingerprintOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

function handedOf(result: SubmissionResult): Handed {
  switch (result.kind) {
    case "queued":
      return { kind: "queued", id: result.id };
    case "failed":
      return { kind: "refused", why: "later", text: "The queue cannot take it now" };
    case "conflict":
      return { kind: "refused", why: "conflict", text: "Another request has this key" };
    case "refused": {
      const { reply } = result;
      const text = formatReply(reply);
      if (reply.enhanced === "5.3.4") return { kind: "refused", why: "too_large", text };
      // RFC 5321 4.2.1: 4yz is for now; but of too many recipients later means nothing.
      const isForNow = reply.code < 500 && reply.enhanced !== "4.5.3";
      return { kind: "refused", why: isForNow ? "later" : "message", text };
    }
  }
}
