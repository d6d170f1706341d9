import { Buffer } from "node:buffer";
import { scrypt } from "node:crypto";
import { encodeText } from "../base/bytes.ts";
import { decodeUnpaddedBase64, encodeBase64 } from "./base64.ts";

/** What a password is hashed with; passwords with the same are checked by one run. */
export interface HashRecipe {
  /** Binary logarithm of the cost N of RFC 7914 section 2. */
  readonly logCost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Uint8Array;
}

/** A hashed password. */
export interface PasswordHash {
  readonly recipe: HashRecipe;
  readonly digest: Uint8Array;
}

/** Hashes a password, which takes a good part of a second and some MiB: `hashPassword` or a test's. */
export type Hasher = (password: string, recipe: HashRecipe) => Promise<Uint8Array>;

/**
 * The cost of new hashes: 16 MiB and, on one core of a server, about 0.3 s; one of the
 * combinations that OWASP's Password Storage Cheat Sheet holds equal.
 */
export const DEFAULT_COST = { logCost: 14, blockSize: 8, parallelization: 5 } as const;

/** Octets of salt for new hashes. */
export const SALT_BYTES = 16;

const DIGEST_BYTES = 32;
/** The most memory that one run may take: what scrypt calls 128 * N * r. */
const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;

/** Runs scrypt in the runtime's thread pool. */
export const hashPassword: Hasher = (password, recipe) => {
  const { logCost, blockSize, parallelization, salt } = recipe;
  const options = {
    N: 2 ** logCost,
    r: blockSize,
    p: parallelization,
    maxmem: 2 * MEMORY_LIMIT_BYTES,
  };
  return new Promise((resolve, reject) => {
    scrypt(
      encodeText(password),
      salt,
      DIGEST_BYTES,
      options,
      (error, digest) => error === null ? resolve(digest) : reject(error),
    );
  });
};

/** The PHC string of a hash: `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, base64 without padding. */
export function formatPasswordHash({ recipe, digest }: PasswordHash): string {
  const { logCost, blockSize, parallelization, salt } = recipe;
  const [saltText, digestText] = [salt, digest].map((bytes) =>
    encodeBase64(bytes).replaceAll("=", "")
  );
  return `$scrypt$ln=${logCost},r=${blockSize},p=${parallelization}$${saltText}$${digestText}`;
}

/** Reads a PHC string of scrypt; null for anything else and for costs that are out of bounds. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([^$]+)\$([^$]+)$/.exec(text);
  if (parts === null) return null;
  const [logCost = 0, blockSize = 0, parallelization = 0] = parts.slice(1, 4).map(Number);
  const [salt, digest] = parts.slice(4).map(decodeUnpaddedBase64);
  if (!salt || digest?.length !== DIGEST_BYTES || logCost < 1 || parallelization < 1) return null;
  const memoryBytes = 128 * 2 ** logCost * blockSize;
  if (blockSize < 1 || memoryBytes > MEMORY_LIMIT_BYTES) return null;
  return { recipe: { logCost, blockSize, parallelization, salt }, digest };
}

/** Whether two recipes give the same hash to the same password. */
export function isSameRecipe(left: HashRecipe, right: HashRecipe): boolean {
  return left.logCost === right.logCost && left.blockSize === right.blockSize &&
    left.parallelization === right.parallelization &&
    Buffer.compare(left.salt, right.salt) === 0;
}
