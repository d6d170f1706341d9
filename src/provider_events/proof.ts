import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { encodeText } from "../base/bytes.ts";

const MINUTE_MS = 60_000;

/** How far ahead of ours a provider's clock may be. */
const AHEAD_MS = 5 * MINUTE_MS;

/** HMAC-SHA-256 (RFC 2104) over pieces in a row. */
export function hmacSha256(
  key: Uint8Array,
  ...pieces: readonly (string | Uint8Array)[]
): Uint8Array {
  const hmac = createHmac("sha256", key);
  for (const piece of pieces) hmac.update(piece);
  return new Uint8Array(hmac.digest());
}

/** SHA-256 in hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Compares octets in a time that tells nothing but their lengths. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Compares texts in a time that does not tell how far they agree, nor how long the secret is. */
export function isSameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(encodeText(text)).digest();
  return timingSafeEqual(digest(given), digest(secret));
}

/** Octets in hexadecimal; null when it is none. */
export function fromHex(text: string): Uint8Array | null {
  return /^(?:[\da-f]{2})+$/i.test(text) ? Uint8Array.fromHex(text) : null;
}

/** Octets in base64; null when it is none. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}

/** Whether a time of the sender, in seconds since the epoch, is neither old nor yet to come. */
export function isRecent(
  seconds: string,
  { nowMs, maxAgeMs }: { nowMs: number; maxAgeMs: number },
): boolean {
  return /^\d{1,12}$/.test(seconds) && isRecentMs(Number(seconds) * 1000, { nowMs, maxAgeMs });
}

/** The same for a time in milliseconds; NaN is none. */
export function isRecentMs(
  timeMs: number,
  { nowMs, maxAgeMs }: { nowMs: number; maxAgeMs: number },
): boolean {
  return timeMs >= nowMs - maxAgeMs && timeMs <= nowMs + AHEAD_MS;
}

/** JSON out of UTF-8; undefined when it is none. */
export function parseJson(body: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof body === "string" ? body : new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
