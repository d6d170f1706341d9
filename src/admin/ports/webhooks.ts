/** Whom events are sent to. */

/** Where events are sent to. */
export interface WebhookStatus {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly waiting: number;
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
}

/** One request to a webhook. */
export interface WebhookCall {
  readonly id: string;
  readonly webhook: string;
  readonly atMs: number;
  readonly event: string;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
  readonly error: string;
}

export interface WebhooksPort {
  list(): Promise<readonly WebhookStatus[]>;
  log(
    request: { readonly webhook?: string; readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly WebhookCall[]; readonly cursor: string | null }>;
  /** Sends events from a time on again; false when there is no such webhook. */
  replay(name: string, request: { readonly fromMs: number }): Promise<boolean>;
}
