import { createHash } from "node:crypto";
import { encodeText } from "../../base/bytes.ts";
import type { RequestBody } from "./body.ts";

/**
 * SHA-256 of a body in lower-case hexadecimal, read once. Web Crypto digests only what is in
 * memory, so this is node's.
 */
export async function sha256Hex(body: RequestBody): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of body.stream({ reuse: true })) hash.update(chunk);
  return hash.digest("hex");
}

/** HMAC-SHA-256 (RFC 2104) of `text`. */
export async function hmacSha256(
  key: Uint8Array<ArrayBuffer>,
  text: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey(
    "raw",
    key,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encodeText(text)));
}

/** `name:password` as the value of an Authorization field (RFC 7617). */
export function basicAuthorization(name: string, password: string): string {
  return `Basic ${encodeText(`${name}:${password}`).toBase64()}`;
}
