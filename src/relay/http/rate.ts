import type { RateAllowance } from "../../delivery/transport.ts";

/** The longest wait that is believed. */
const LONGEST_WAIT_MS = 24 * 60 * 60 * 1000;

/** Prefixes of the three fields that tell of a rate limit, in the order in which they count. */
const PREFIXES = ["ratelimit-", "x-ratelimit-", "x-sib-ratelimit-"];

/**
 * How long the answer asks to wait: Retry-After (RFC 9110 10.2.3: seconds, or a date), else the
 * time until an exhausted limit is counted anew. Undefined when it does not say.
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const retryAfter = headers.get("retry-after");
  const askedMs = retryAfter === null ? null : waitOf(retryAfter, nowMs);
  if (askedMs !== null) return askedMs;
  const rate = rateAllowance(headers, nowMs);
  return rate !== null && rate.remaining === 0 ? rate.resetAfterMs : undefined;
}

/**
 * What is left of a rate limit, from `ratelimit-*` (draft-ietf-httpapi-ratelimit-headers-06),
 * `x-ratelimit-*` or `x-sib-ratelimit-*`. Null when the answer does not say.
 */
export function rateAllowance(headers: Headers, nowMs: number): RateAllowance | null {
  for (const prefix of PREFIXES) {
    const remaining = wholeNumber(headers.get(`${prefix}remaining`));
    const reset = headers.get(`${prefix}reset`);
    const resetAfterMs = reset === null ? null : waitOf(reset, nowMs);
    if (remaining !== null && resetAfterMs !== null) return { remaining, resetAfterMs };
  }
  return null;
}

/** Seconds from now, seconds or milliseconds since the epoch (which are far larger), or a date. */
function waitOf(text: string, nowMs: number): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) {
    const value = Number(trimmed);
    if (value > 1e11) return bounded(value - nowMs);
    return bounded(value > 1e9 ? value * 1000 - nowMs : value * 1000);
  }
  // The runtime's parser takes nearly anything for a date, "-5" among it.
  const atMs = /^(?:[A-Z][a-z]{2,8},? |\d{4}-\d\d-)/.test(trimmed) ? Date.parse(trimmed) : NaN;
  return Number.isNaN(atMs) ? null : bounded(atMs - nowMs);
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text.trim()) ? Number(text) : null;
}

function bounded(waitMs: number): number {
  return Math.min(Math.max(Math.ceil(waitMs), 0), LONGEST_WAIT_MS);
}
