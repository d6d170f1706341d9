import { createHash, scrypt, timingSafeEqual } from "node:crypto";
import { encodeText } from "../../base/bytes.ts";
import type { Random } from "../../base/random.ts";

/** A new secret of 256 bits in base64url. */
export function newSecret(random: Random): string {
  return base64Url(random.fill(new Uint8Array(32)));
}

/**
 * The hash of a secret that was made by `newSecret`. One round is enough: nobody guesses 256 bits.
 */
export function secretHash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Compares in a time that tells nothing of where two texts differ. */
export function isSameText(a: string, b: string): boolean {
  // Hashes have one length, whatever the texts have.
  return timingSafeEqual(
    createHash("sha256").update(a).digest(),
    createHash("sha256").update(b).digest(),
  );
}

/** Cost of a password hash: 32 MiB and about 80 ms. */
const LOG_N = 15;
const BLOCK_SIZE = 8;
const PARALLEL = 1;
const HASH_BYTES = 32;

/** The hash of a password for keeping, scrypt (RFC 7914) in the PHC string format. */
export async function passwordHash(password: string, random: Random): Promise<string> {
  const salt = random.fill(new Uint8Array(16));
  const hash = await derive(password, { salt, logN: LOG_N });
  return `$scrypt$ln=${LOG_N},r=${BLOCK_SIZE},p=${PARALLEL}$${base64(salt)}$${base64(hash)}`;
}

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;
/** Stands in for users that do not exist, so that asking for one takes as long. */
const NOBODY = `$scrypt$ln=${LOG_N},r=8,p=1$${"A".repeat(22)}$${"A".repeat(43)}`;

/** Whether a password belongs to a hash; without a hash it takes as long and says no. */
export async function isPassword(password: string, kept: string | null): Promise<boolean> {
  const [, logN, salt, hash] = PHC.exec(kept ?? NOBODY) ?? PHC.exec(NOBODY) ?? [];
  const derived = await derive(password, { salt: fromBase64(salt ?? ""), logN: Number(logN) });
  return kept !== null && isSameText(base64(derived), hash ?? "");
}

/** scrypt, off the event loop. */
function derive(
  password: string,
  { salt, logN }: { salt: Uint8Array; logN: number },
): Promise<Uint8Array> {
  const n = 2 ** Math.min(logN, 20);
  const options = { N: n, r: BLOCK_SIZE, p: PARALLEL, maxmem: 256 * n * BLOCK_SIZE };
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  scrypt(encodeText(password.normalize("NFKC")), salt, HASH_BYTES, options, (error, key) => {
    if (error === null) resolve(key);
    else reject(error);
  });
  return promise;
}

/** Standard alphabet, no padding, as the PHC format has it. */
function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("=", "");
}

function base64Url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
