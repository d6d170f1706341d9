import { pbkdf2, timingSafeEqual } from "node:crypto";
import { decodeText, encodeText } from "../../base/bytes.ts";
import { decodeBase64, encodeBase64 } from "../base64.ts";
import { preparePassword } from "../prepare.ts";
import { hmacSha256, sha256 } from "../scram_keys.ts";
import type { ClientExchange, Credentials } from "./exchange.ts";

/** RFC 7677 section 4; less would give the password away to whoever plays the server. */
const LEAST_ITERATIONS = 4096;
/** More would let a server keep this relay busy. */
const MOST_ITERATIONS = 2_000_000;
const KEY_BYTES = 32;
const GS2_HEADER = "n,,"; // RFC 5802 section 7: no channel binding, the user acts as itself

/** Stretches a password; see `saltedPasswords`. */
export type SaltPassword = (
  password: string,
  rounds: { readonly salt: Uint8Array; readonly iterations: number },
) => Promise<Uint8Array>;

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677). The server proves that it knows the password, too.
 *
 * @param nonce printable ASCII without commas, new for each exchange.
 */
export function scramSha256(
  { username, password }: Credentials,
  { nonce, salted }: { nonce: string; salted: SaltPassword },
): ClientExchange {
  const name = username.replaceAll("=", "=3D").replaceAll(",", "=2C"); // section 5.1
  const clientFirst = `n=${name},r=${nonce}`;
  let expected: Uint8Array | null = null;
  let isProven = false;

  async function answerFirst(serverFirst: string): Promise<Uint8Array | null> {
    const asked = readServerFirst(serverFirst, nonce);
    if (asked === null) return null;
    const saltedPassword = await salted(preparePassword(password) ?? password, asked);
    const clientKey = hmacSha256(saltedPassword, encodeText("Client Key"));
    const withoutProof = `c=${encodeBase64(encodeText(GS2_HEADER))},r=${asked.nonce}`;
    const message = encodeText(`${clientFirst},${serverFirst},${withoutProof}`);
    const signature = hmacSha256(sha256(clientKey), message);
    const proof = clientKey.map((octet, index) => octet ^ (signature[index] ?? 0));
    const serverKey = hmacSha256(saltedPassword, encodeText("Server Key"));
    expected = hmacSha256(serverKey, message);
    return encodeText(`${withoutProof},p=${encodeBase64(proof)}`);
  }

  function checkFinal(serverFinal: string, signature: Uint8Array): Uint8Array | null {
    const shown = decodeBase64(/^v=([^,]+)/.exec(serverFinal)?.[1] ?? "");
    if (shown?.length !== signature.length || !timingSafeEqual(shown, signature)) return null;
    isProven = true;
    return encodeText("");
  }

  return {
    mechanism: "SCRAM-SHA-256",
    initial: encodeText(GS2_HEADER + clientFirst),
    respond(challenge) {
      if (isProven) return null;
      const text = decodeText(challenge);
      return expected === null ? answerFirst(text) : checkFinal(text, expected);
    },
    get isComplete() {
      return isProven;
    },
  };
}

/** Stretches passwords (RFC 5802 section 2.2) and keeps the last result: a server has one salt. */
export function saltedPasswords(): SaltPassword {
  let last: { readonly key: string; readonly salted: Promise<Uint8Array> } | null = null;
  return (password, { salt, iterations }) => {
    const key = `${iterations} ${encodeBase64(salt)} ${password}`;
    if (last?.key === key) return last.salted;
    last = { key, salted: stretch(password, { salt, iterations }) };
    return last.salted;
  };
}

/** server-first-message of section 7; extensions that must be understood are not (`m=`). */
function readServerFirst(
  text: string,
  clientNonce: string,
): { nonce: string; salt: Uint8Array; iterations: number } | null {
  const parts = /^r=([^,]+),s=([^,]+),i=([1-9]\d{0,8})(?:,.*)?$/s.exec(text);
  const [, nonce = "", saltText = "", rounds = ""] = parts ?? [];
  const salt = decodeBase64(saltText);
  const iterations = Number(rounds);
  if (salt === null || salt.length === 0) return null;
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) return null;
  if (iterations < LEAST_ITERATIONS || iterations > MOST_ITERATIONS) return null;
  return { nonce, salt, iterations };
}

function stretch(
  password: string,
  { salt, iterations }: { salt: Uint8Array; iterations: number },
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  pbkdf2(encodeText(password), salt, iterations, KEY_BYTES, "sha256", (error, key) => {
    if (error === null) resolve(key);
    else reject(error);
  });
  return promise;
}
