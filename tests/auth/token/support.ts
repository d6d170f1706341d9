import { Buffer } from "node:buffer";
import type { IntrospectionSettings, JwksSettings } from "../../../src/auth/settings.ts";

/** What the issuer of the tests is. */
export const ISSUER = "https://login.example.net/";
/** Whom its tokens are for. */
export const AUDIENCE = "smtp.example.net";

/** A server on loopback that tests give an answer to. */
export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** Requests so far: method, headers and body. */
  readonly requests: { method: string; headers: Headers; body: string }[];
  answer: (request: Request) => Response | Promise<Response>;
}

/** Starts an issuer. */
export function startIssuer(answer: Issuer["answer"]): Issuer {
  const requests: Issuer["requests"] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { method, headers } = request;
      requests.push({ method, headers, body: await request.text() });
      return await issuer.answer(request);
    },
  );
  const issuer: Issuer = {
    url: `http://127.0.0.1:${server.addr.port}/`,
    requests,
    answer,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return issuer;
}

/** Settings for a key set at `url`. */
export function jwksSettings(url: string): JwksSettings {
  return {
    type: "jwks",
    url,
    issuer: ISSUER,
    audience: [AUDIENCE],
    userClaim: "email",
    scope: null,
    unlistedUsers: false,
    timeoutMs: 5000,
    cacheMs: 3_600_000,
    clockSkewMs: 60_000,
  };
}

/** Settings for introspection at `url`. */
export function introspectionSettings(url: string): IntrospectionSettings {
  return {
    type: "introspection",
    url,
    clientId: "post house",
    clientSecret: "s:cret",
    issuer: null,
    audience: [],
    userClaim: "username",
    scope: null,
    unlistedUsers: false,
    timeoutMs: 5000,
    cacheMs: 60_000,
  };
}

const ALGORITHMS = {
  RS256: {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
  },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
} as const;

/** A key of an issuer. */
export interface SigningKey {
  /** As it stands in the key set. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** Makes a token. */
  sign(claims: unknown, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Makes a key. */
export async function makeKey(alg: keyof typeof ALGORITHMS, kid: string): Promise<SigningKey> {
  const algorithm = ALGORITHMS[alg];
  const pair = await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const jwk = { ...await crypto.subtle.exportKey("jwk", pair.publicKey), kid, use: "sig" };
  return {
    jwk,
    async sign(claims, header = {}) {
      const input = [{ alg, kid, typ: "JWT", ...header }, claims]
        .map((part) => base64Url(JSON.stringify(part))).join(".");
      const signature = await crypto.subtle.sign(
        algorithm,
        pair.privateKey,
        new TextEncoder().encode(input),
      );
      return `${input}.${base64Url(signature)}`;
    },
  };
}

function base64Url(data: string | ArrayBuffer): string {
  const bytes = typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
  return bytes.toString("base64url");
}
