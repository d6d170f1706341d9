import type { FeedbackKind } from "../observe/events.ts";

/** A request as it came. */
export interface EventRequest {
  readonly headers: Headers;
  /** All of it; signatures are over these octets. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly nowMs: number;
}

/** What a provider says became of a message for one recipient. */
export interface ProviderReport {
  /** The same whenever the provider tells it again, and of nothing else. */
  readonly key: string;
  readonly kind: FeedbackKind;
  /** The mailbox it is about; null where the provider does not say. */
  readonly recipient: string | null;
  /** Mailboxes that the provider names where it does not say which of them it is about. */
  readonly candidates?: readonly string[];
  /** The queue id that the relay gave the provider; null where it is not said again. */
  readonly queueId: string | null;
  /** What the provider calls the message, as in the outcome of the attempt; null where unknown. */
  readonly remoteId: string | null;
  /** In a few words, as `550 5.1.1 No such mailbox`. */
  readonly reason: string;
}

/** What a request turned out to be. */
export type Reading =
  | { readonly kind: "reports"; readonly reports: readonly ProviderReport[] }
  /** Nothing proves that the provider sent it, or sent it now. */
  | { readonly kind: "forged"; readonly why: string }
  /** The provider sent it, but it cannot be read. */
  | { readonly kind: "malformed"; readonly why: string }
  /** It cannot be told yet; the provider is to try again. */
  | { readonly kind: "undecided"; readonly why: string };

/** One webhook of a provider, as it is configured. */
export interface EventSource {
  /** Names it in the config file, in its address and in what it tells. */
  readonly name: string;
  /**
   * Proves who sent a request, then reads it.
   *
   * @throws StoreError where it remembers what came before.
   */
  read(request: EventRequest): Reading | Promise<Reading>;
}

/** A request that tells nothing that anybody wants to know. */
export const NO_REPORTS: Reading = { kind: "reports", reports: [] };

/** The request was not proven. */
export function forged(why: string): Reading {
  return { kind: "forged", why };
}

/** The request was proven and cannot be read. */
export function malformed(why: string): Reading {
  return { kind: "malformed", why };
}
