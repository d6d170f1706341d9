import type { MiddlewareHandler } from "hono";
import type { Random } from "../../base/random.ts";
import type { AdminEnv } from "../env.ts";
import { newSecret } from "./secrets.ts";

/**
 * The content security policy of pages: everything comes from the relay itself, scripts and
 * styles of a page need its nonce when they stand in it, and nobody may frame it.
 */
export function pagePolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/**
 * The policy of the HTML of a message: a place of its own, without scripts, forms or anything from
 * elsewhere, that only the relay's own pages may frame.
 */
export const MESSAGE_POLICY = [
  "sandbox allow-popups allow-popups-to-escape-sandbox",
  "default-src 'none'",
  "img-src data:",
  "style-src 'unsafe-inline'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join("; ");

/** What octets of a message get that a browser must never show as a page of ours. */
export const DOWNLOAD_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'";

/** Header fields that every answer has, unless its handler set them otherwise. */
export function securityHeaders({ random }: { random: Random }): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const nonce = newSecret(random);
    c.set("nonce", nonce);
    await next();
    const { headers } = c.res;
    const set = (name: string, value: string): void => {
      if (!headers.has(name)) headers.set(name, value);
    };
    set("content-security-policy", pagePolicy(nonce));
    set("x-content-type-options", "nosniff");
    set("x-frame-options", "DENY");
    // With no-referrer browsers would say "Origin: null" for our own forms (Fetch 3.1).
    set("referrer-policy", "same-origin");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), geolocation=(), microphone=()");
    set("cache-control", "no-store");
  };
}
