/** What ETRN names (RFC 1985 section 5.1). */
export interface QueueRequest {
  /** A domain, in A-labels and lower case. */
  readonly domain: string;
  /** Whether the domains below it are meant as well (`@` in front of it). */
  readonly subdomains: boolean;
}

/** What became of the request. */
export type QueueStart =
  | { readonly kind: "started"; readonly messages: number }
  | { readonly kind: "failed" };

/**
 * Makes the waiting messages for a domain due now. Declared here so that the server knows no
 * queue.
 */
export type QueueStarter = (request: QueueRequest) => Promise<QueueStart>;
