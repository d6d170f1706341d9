import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { encodeText } from "../base/bytes.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** What is kept of one password for SCRAM-SHA-256 (RFC 5802 section 3). */
export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/**
 * Rounds of PBKDF2 for new keys. Anyone who steals the keys guesses against these, so they are far
 * above the 4,096 of RFC 7677 section 4; a client spends about a tenth of a second on them.
 */
export const SCRAM_ITERATIONS = 100_000;

const KEY_BYTES = 32;
const SCHEME = "SCRAM-SHA-256";

/**
 * Makes the keys of a password, prepared by `preparePassword`. The salt should be of 16 random
 * octets or more.
 */
export async function makeScramKeys(
  password: string,
  { salt, iterations = SCRAM_ITERATIONS }: { salt: Uint8Array; iterations?: number },
): Promise<ScramKeys> {
  const salted = await stretch(password, { salt, iterations });
  const clientKey = hmacSha256(salted, encodeText("Client Key"));
  const serverKey = hmacSha256(salted, encodeText("Server Key"));
  return { salt, iterations, storedKey: sha256(clientKey), serverKey };
}

/** The keys as RFC 5803 writes them: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. */
export function formatScramKeys({ salt, iterations, storedKey, serverKey }: ScramKeys): string {
  const [saltText, stored, server] = [salt, storedKey, serverKey].map(encodeBase64);
  return `${SCHEME}$${iterations}:${saltText}$${stored}:${server}`;
}

/** Reads what `formatScramKeys` wrote; null for anything else. */
export function parseScramKeys(text: string): ScramKeys | null {
  const parts = /^SCRAM-SHA-256\$([1-9]\d{3,8}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(text);
  if (parts === null) return null;
  const [salt, storedKey, serverKey] = parts.slice(2).map(decodeBase64);
  if (!salt || storedKey?.length !== KEY_BYTES || serverKey?.length !== KEY_BYTES) return null;
  return { salt, iterations: Number(parts[1]), storedKey, serverKey };
}

/** HMAC of RFC 2104 with SHA-256. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}

/** SHA-256. */
export function sha256(data: Uint8Array): Uint8Array {
  return createHash("sha256").update(data).digest();
}

/** PBKDF2 in the runtime's thread pool. */
function stretch(
  password: string,
  { salt, iterations }: { salt: Uint8Array; iterations: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    pbkdf2(
      encodeText(password),
      salt,
      iterations,
      KEY_BYTES,
      "sha256",
      (error, key) => error === null ? resolve(key) : reject(error),
    );
  });
}
