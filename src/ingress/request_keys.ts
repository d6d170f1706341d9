import type { Shelf } from "../queue/shelf.ts";

/** How long the name of a request is remembered. */
const KEPT_MS = 24 * 3_600_000;
const SPACE = "request";

/** What is known of the first request of a name. */
export interface KnownRequest {
  /** SHA-256 over the envelope and the octets, so that another message is noticed. */
  readonly fingerprint: string;
  readonly messageId: string;
  /** Present once the message is known to be stored; the message may be forgotten before it. */
  readonly stored?: true;
}

/** Whether a request may hand in its message. */
export type KeyVerdict =
  | { readonly kind: "first" }
  | { readonly kind: "repeated"; readonly messageId: string }
  | { readonly kind: "other_message" };

export interface RequestKeysOptions {
  readonly shelf: Shelf;
  /** Whether a message was stored. */
  readonly isStored: (messageId: string) => Promise<boolean>;
  readonly now: () => number;
}

/**
 * Names of requests, kept in the store. A name is written down with the queue id before the
 * message is, so that a crash between the two leaves a name whose message is not there, which
 * the next request of that name takes over.
 */
export class RequestKeys {
  readonly #options: RequestKeysOptions;

  constructor(options: RequestKeysOptions) {
    this.#options = options;
  }

  /** Asked right before a message is stored as `messageId`. */
  async claim(name: string, request: KnownRequest): Promise<KeyVerdict> {
    const { shelf, isStored, now } = this.#options;
    const entry = { key: name, value: JSON.stringify(request), expiresAtMs: now() + KEPT_MS };
    const found = await shelf.claim(SPACE, entry);
    if (found === null) return { kind: "first" };
    const known: KnownRequest = JSON.parse(found.value);
    if (known.stored !== true && !await isStored(known.messageId)) {
      await shelf.put(SPACE, entry);
      return { kind: "first" };
    }
    if (known.fingerprint !== request.fingerprint) return { kind: "other_message" };
    return { kind: "repeated", messageId: known.messageId };
  }

  /** The message is stored. Without this the store is asked for it, as long as it knows it. */
  async confirm(name: string, request: KnownRequest): Promise<void> {
    const value = JSON.stringify({ ...request, stored: true });
    await this.#options.shelf.put(SPACE, {
      ...{ key: name, value },
      expiresAtMs: this.#options.now() + KEPT_MS,
    });
  }
}
