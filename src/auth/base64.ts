import { Buffer } from "node:buffer";

const ALPHABET = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Reads base64 as RFC 4648 section 4 writes it: its alphabet alone, padded, and no bits set that
 * the padding leaves over. Null for anything else.
 */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || !ALPHABET.test(text)) return null;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : null;
}

/** Reads base64 without padding, as PHC strings have it. Null for anything else. */
export function decodeUnpaddedBase64(text: string): Uint8Array | null {
  if (text.includes("=")) return null;
  return decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="));
}

/** Reads base64url without padding (RFC 7515 section 2). Null for anything else. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]*$/.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? new Uint8Array(bytes) : null;
}

/** Writes base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
