import { Buffer } from "node:buffer";
import { createHash, createPublicKey, type KeyObject, verify as verifyNow } from "node:crypto";
import type { TxtAnswer } from "../check.ts";
import type { KeyType } from "../key.ts";
import { type KeyRecord, parseRecord, recordName } from "../record.ts";

/** Asks the DNS for TXT records. */
export type TxtLookup = (name: string) => Promise<TxtAnswer>;

/** DKIM signatures and the seals of a long chain; a message with more is an attack. */
const MAX_KEYS_OF_MESSAGE = 30;

/** Look-ups for the keys of one message: each name once, and no more than so many of them. */
export function lookupsOfMessage(txt: TxtLookup): TxtLookup {
  const asked = new Map<string, Promise<TxtAnswer>>();
  return (name) => {
    const known = asked.get(name);
    if (known !== undefined) return known;
    if (asked.size >= MAX_KEYS_OF_MESSAGE) {
      return Promise.resolve({ kind: "temporary", reason: "too many keys for one message" });
    }
    const answer = txt(name);
    asked.set(name, answer);
    return answer;
  };
}

/** A key that checks signatures. */
export interface VerifyingKey {
  readonly record: KeyRecord;
  /** RSA does its work on a thread of the runtime. */
  verify(octets: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** A key, or why there is none (RFC 6376 section 6.1.2). */
export type KeyResult =
  | { readonly kind: "key"; readonly key: VerifyingKey }
  | { readonly kind: "temperror" | "permerror"; readonly reason: string };

/** RFC 8301 section 3.2; a longer key would be there to cost time. */
const RSA_BITS = { least: 1024, most: 4096 };
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
/** What stands before an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 section 4). */
const ED25519_HEAD = Uint8Array.fromHex("302a300506032b6570032100");
const ED25519_KEY_BYTES = 32;

/** Fetches the key of a signature. Never rejects, as nobody may wait for it yet. */
export async function fetchKey(
  { domain, selector, keyType }: {
    readonly domain: string;
    readonly selector: string;
    readonly keyType: KeyType;
  },
  txt: TxtLookup,
): Promise<KeyResult> {
  const answer = await txt(recordName({ domain, selector }));
  if (answer.kind === "temporary") return { kind: "temperror", reason: "no answer from the DNS" };
  const records = answer.kind === "found" ? answer.records : [];
  const [record] = records.flatMap((text) => parseRecord(text) ?? []);
  if (record === undefined) return permanent("no key for signature");
  if (record.publicKey === "") return permanent("key revoked");
  if (record.type !== keyType || !record.takesSha256) return permanent("key for another algorithm");
  if (!record.isForMail) return permanent("key not for mail");
  const octets = Buffer.from(record.publicKey, "base64");
  try {
    return await (record.type === "rsa" ? rsaKey : ed25519Key)(record, octets);
  } catch {
    return permanent("bad key");
  }
}

function permanent(reason: string): KeyResult {
  return { kind: "permerror", reason };
}

async function rsaKey(record: KeyRecord, der: Uint8Array): Promise<KeyResult> {
  const object = readRsa(der);
  const bits = object?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (object === null) return permanent("bad key");
  if (bits < RSA_BITS.least) return permanent(`RSA key of ${bits} bits`);
  if (bits > RSA_BITS.most) return permanent("RSA key too long");
  const spki = Uint8Array.from(object.export({ type: "spki", format: "der" }));
  const key = await crypto.subtle.importKey("spki", spki, RSA, false, ["verify"]);
  return {
    kind: "key",
    key: {
      record,
      verify: (octets, signature) =>
        unlessThrown(() =>
          crypto.subtle.verify(RSA.name, key, Uint8Array.from(signature), Uint8Array.from(octets))
        ),
    },
  };
}

/** RFC 6376 section 3.6.1 says RSAPublicKey, everybody publishes SubjectPublicKeyInfo. */
function readRsa(der: Uint8Array): KeyObject | null {
  for (const type of ["spki", "pkcs1"] as const) {
    try {
      const object = createPublicKey({ key: Buffer.from(der), format: "der", type });
      if (object.asymmetricKeyType === "rsa") return object;
    } catch { /* it may be of the other type */ }
  }
  return null;
}

function ed25519Key(record: KeyRecord, octets: Uint8Array): KeyResult {
  if (octets.length !== ED25519_KEY_BYTES) return permanent("bad key");
  const der = Buffer.concat([ED25519_HEAD, octets]);
  const object = createPublicKey({ key: der, format: "der", type: "spki" });
  return {
    kind: "key",
    key: {
      record,
      verify(signed, signature) {
        const hash = createHash("sha256").update(signed).digest(); // RFC 8463 section 3
        return unlessThrown(() => Promise.resolve(verifyNow(null, hash, object, signature)));
      },
    },
  };
}

/** What cannot be a signature of a key at all is not one, either. */
async function unlessThrown(verify: () => Promise<boolean>): Promise<boolean> {
  try {
    return await verify();
  } catch {
    return false;
  }
}
