/** Recipients that get no mail. */

/** Recipients that get no mail. */
export interface Suppression {
  readonly address: string;
  readonly reason: string;
  readonly source: string;
  readonly addedAtMs: number;
  readonly expiresAtMs: number | null;
  /** Set where anybody may have said so: the recipient gets its mail. */
  readonly unproven?: true;
}

export interface SuppressionsPort {
  list(
    request: { readonly text?: string; readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly Suppression[]; readonly cursor: string | null }>;
  add(request: {
    readonly address: string;
    readonly reason: string;
    readonly expiresAtMs: number | null;
    readonly by: string;
  }): Promise<void>;
  remove(address: string, request: { readonly by: string }): Promise<boolean>;
}
