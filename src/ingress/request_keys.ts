import type { Shelf } from "../queue/shelf.ts";

/** How long the name of a request is remembered. */
const KEPT_MS = 24 * 3_600_000;
const SPACE = "request";

/** What is known of the first request of a name. */
export interface KnownRequest {
  /** SHA-256 over envelopes and octets, so that another message is noticed. */
  readonly fingerprint: string;
  /** Those of one request are stored together or not at all. */
  readonly messageIds: readonly string[];
  /** Present once they are known to be stored; they may be forgotten before it. */
  readonly stored?: true;
}

/** Whether a request may hand in its messages. */
export type KeyVerdict =
  | { readonly kind: "first" }
  | { readonly kind: "repeated"; readonly messageIds: readonly string[] }
  | { readonly kind: "other_message" };

export interface RequestKeysOptions {
  readonly shelf: Shelf;
  /** Whether a message was stored. */
  readonly isStored: (messageId: string) => Promise<boolean>;
  readonly now: () => number;
}

/**
 * Names of requests, kept in the store. A name is written down with the queue ids before the
 * messages are, so that a crash between the two leaves a name whose messages are not there, which
 * the next request of that name takes over.
 */
export class RequestKeys {
  readonly #options: RequestKeysOptions;

  constructor(options: RequestKeysOptions) {
    this.#options = options;
  }

  /** Asked right before messages are stored by their ids. */
  async claim(name: string, request: KnownRequest): Promise<KeyVerdict> {
    const { shelf, isStored, now } = this.#options;
    const entry = { key: name, value: JSON.stringify(request), expiresAtMs: now() + KEPT_MS };
    const found = await shelf.claim(SPACE, entry);
    if (found === null) return { kind: "first" };
    const known: KnownRequest = JSON.parse(found.value);
    const [first = ""] = known.messageIds;
    if (known.stored !== true && !await isStored(first)) {
      await shelf.put(SPACE, entry);
      return { kind: "first" };
    }
    if (known.fingerprint !== request.fingerprint) return { kind: "other_message" };
    return { kind: "repeated", messageIds: known.messageIds };
  }

  /** They are stored. Without this the store is asked for them, as long as it knows them. */
  async confirm(name: string, request: KnownRequest): Promise<void> {
    const value = JSON.stringify({ ...request, stored: true });
    await this.#options.shelf.put(SPACE, {
      ...{ key: name, value },
      expiresAtMs: this.#options.now() + KEPT_MS,
    });
  }
}
