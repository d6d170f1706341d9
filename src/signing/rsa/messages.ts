import type { RsaParts } from "./private_key.ts";

/** What a thread is asked for: the signature of what has this SHA-256 digest. */
export interface SignRequest {
  readonly id: number;
  /** Number of the key on this thread. */
  readonly key: number;
  /** The key, with its first request. */
  readonly parts: RsaParts | null;
  readonly digest: Uint8Array;
}

/** What a thread says. */
export type ThreadMessage =
  | { readonly kind: "signed"; readonly id: number; readonly signature: Uint8Array }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string }
  /** It had nothing to do for a while and may be ended. */
  | { readonly kind: "idle" };
