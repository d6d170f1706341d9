import type { RsaParts } from "./private_key.ts";

/** One signature that a thread is asked for. */
export interface SignRequest {
  /** Number of the key on this thread. */
  readonly key: number;
  /** The key, with its first request. */
  readonly parts: RsaParts | null;
  /** The SHA-256 digest of what is signed. */
  readonly digest: Uint8Array;
}

/** What a thread says of requests that came together, in their order. */
export type ThreadMessage =
  | { readonly kind: "signed"; readonly signatures: readonly Uint8Array[] }
  /** None of them was signed. */
  | { readonly kind: "failed"; readonly reason: string }
  /** It had nothing to do for a while and may be ended. */
  | { readonly kind: "idle" };
