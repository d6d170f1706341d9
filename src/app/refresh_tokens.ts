import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import type { OAuthGrant, RefreshTokenKeeper } from "../base/access_tokens.ts";
import type { Shelf } from "../queue/shelf.ts";
import type { RefreshTokens } from "../relay/http/oauth.ts";

const SPACE = "refresh token";
const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Where new refresh tokens go. */
export interface RefreshTokenOptions {
  readonly shelf: Shelf;
  readonly onError: (error: unknown) => void;
}

/**
 * Keeps refresh tokens in the store that took the place of configured ones. They are encrypted
 * with a key that is made of the configured one, so that a copy of the store alone tells nothing;
 * with another one in the configuration, what was kept in place of the former counts no more.
 */
export function refreshTokens({ shelf, onError }: RefreshTokenOptions): RefreshTokens {
  return (grant): RefreshTokenKeeper => {
    const { name, secret } = placeOf(grant);
    return {
      async read() {
        try {
          const entry = await shelf.get(SPACE, name);
          return entry === null ? null : opened(entry.value, secret);
        } catch (error) {
          onError(error);
          return null;
        }
      },
      async keep(token) {
        const value = sealed(token, secret);
        await shelf.put(SPACE, { key: name, value, expiresAtMs: null }).catch(onError);
      },
    };
  };
}

function placeOf({ tokenUrl, clientId, refreshToken = "" }: OAuthGrant) {
  const account = JSON.stringify([tokenUrl, clientId, refreshToken]);
  return {
    name: createHash("sha256").update(account).digest("hex"),
    secret: new Uint8Array(hkdfSync("sha256", refreshToken, account, SPACE, 32)),
  };
}

function sealed(token: string, secret: Uint8Array): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, secret, iv);
  const parts = [iv, cipher.update(token, "utf8"), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(parts).toString("base64");
}

/** @throws Error where it was sealed by nobody who knows the secret. */
function opened(value: string, secret: Uint8Array): string {
  const octets = Uint8Array.fromBase64(value);
  const decipher = createDecipheriv(CIPHER, secret, octets.subarray(0, IV_BYTES));
  decipher.setAuthTag(octets.subarray(-TAG_BYTES));
  const text = decipher.update(octets.subarray(IV_BYTES, -TAG_BYTES));
  return Buffer.concat([text, decipher.final()]).toString("utf8");
}
