import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signNow,
} from "node:crypto";

/** Algorithms of RFC 6376 and RFC 8463. */
export type KeyType = "rsa" | "ed25519";

/** A private key that signs. */
export interface SigningKey {
  readonly type: KeyType;
  /** Whether it is so short that it should be replaced. */
  readonly isShort: boolean;
  /** `rsa-sha256` or `ed25519-sha256`. */
  readonly algorithm: string;
  /** The value of `p=` in the DNS record (RFC 6376 section 3.6.1, RFC 8463 section 4). */
  readonly publicKey: string;
  /**
   * Signs octets. RSA takes milliseconds and does its work on a thread of the runtime; Ed25519 takes
   * less than it costs to hand the work on.
   */
  sign(octets: Uint8Array): Promise<Uint8Array>;
}

/** RFC 8301 section 3.2: verifiers ignore shorter keys. */
const LEAST_RSA_BITS = 1024;
/** The same section: signers should use no shorter ones. */
export const RECOMMENDED_RSA_BITS = 2048;

/** Why a text is not a key that can be used. */
export interface KeyProblem {
  readonly kind: "problem";
  /** A few words. */
  readonly reason: string;
}

/** Reads a private key, PEM: PKCS #8, or PKCS #1 for RSA. */
export function readKey(
  pem: string,
): { readonly kind: "ok"; readonly key: SigningKey } | KeyProblem {
  let object: KeyObject;
  try {
    object = createPrivateKey(pem);
  } catch {
    return { kind: "problem", reason: "not a private key in PEM" };
  }
  switch (object.asymmetricKeyType) {
    case "rsa": {
      const bits = object.asymmetricKeyDetails?.modulusLength ?? 0;
      if (bits < LEAST_RSA_BITS) return { kind: "problem", reason: `an RSA key of ${bits} bits` };
      return { kind: "ok", key: signingKey("rsa", object) };
    }
    case "ed25519":
      return { kind: "ok", key: signingKey("ed25519", object) };
    default:
      return { kind: "problem", reason: `a key of type ${object.asymmetricKeyType}` };
  }
}

/** Makes a new private key, PEM (PKCS #8). */
export function generateKey(
  { type, bits = RECOMMENDED_RSA_BITS }: { type: KeyType; bits?: number },
): string {
  const { privateKey } = type === "rsa"
    ? generateKeyPairSync("rsa", { modulusLength: bits })
    : generateKeyPairSync("ed25519");
  return String(privateKey.export({ type: "pkcs8", format: "pem" }));
}

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** The last octets of a SubjectPublicKeyInfo of Ed25519 are the key (RFC 8410 section 4). */
const ED25519_KEY_BYTES = 32;

function signingKey(type: KeyType, object: KeyObject): SigningKey {
  const spki = createPublicKey(object).export({ type: "spki", format: "der" });
  const publicKey = type === "rsa" ? spki : spki.subarray(-ED25519_KEY_BYTES);
  return {
    type,
    isShort: (object.asymmetricKeyDetails?.modulusLength ?? Infinity) < RECOMMENDED_RSA_BITS,
    algorithm: `${type}-sha256`,
    publicKey: Uint8Array.from(publicKey).toBase64(),
    sign: type === "rsa" ? rsaSigner(object) : ed25519Signer(object),
  };
}

/** The key is imported with the first signature, since many are read to be shown or checked. */
function rsaSigner(object: KeyObject): SigningKey["sign"] {
  let imported: Promise<CryptoKey> | null = null;
  return async (octets) => {
    imported ??= importRsa(object);
    const signature = crypto.subtle.sign(RSA.name, await imported, Uint8Array.from(octets));
    return new Uint8Array(await signature);
  };
}

function importRsa(object: KeyObject): Promise<CryptoKey> {
  const der = Uint8Array.from(object.export({ type: "pkcs8", format: "der" }));
  return crypto.subtle.importKey("pkcs8", der, RSA, false, ["sign"]);
}

/** RFC 8463 section 3: Ed25519 signs the hash of what RSA signs. */
function ed25519Signer(object: KeyObject): SigningKey["sign"] {
  return (octets) =>
    Promise.resolve(signNow(null, createHash("sha256").update(octets).digest(), object));
}
