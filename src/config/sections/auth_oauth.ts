import { z } from "zod";
import { duration, flag, listOf, table, text } from "../fields.ts";
import { secret } from "../secrets.ts";
import { durationMs } from "../units.ts";

/** Whose tokens are taken, and how they are checked. */
export type OauthConfig = JwksConfig | IntrospectionConfig;

/** What both ways of checking have in common. */
export interface CommonOauthConfig {
  readonly userClaim: string;
  /** A scope the token must have; null for none. */
  readonly scope: string | null;
  /** Whether users that are not configured may log in. */
  readonly unlistedUsers: boolean;
  readonly timeoutMs: number;
  readonly cacheMs: number;
  /** Null where any will do. */
  readonly issuer: string | null;
  /** Empty where any will do. */
  readonly audience: readonly string[];
}

/** Tokens are JWTs, checked by the issuer's keys (RFC 7517). */
export interface JwksConfig extends CommonOauthConfig {
  readonly type: "jwks";
  readonly url: string;
  readonly clockSkewMs: number;
}

/** The issuer is asked about each token (RFC 7662). */
export interface IntrospectionConfig extends CommonOauthConfig {
  readonly type: "introspection";
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const isFilled = (value: string): boolean => value !== "";

const issuer = text({ expected: "an issuer", isValid: isFilled });
const audience = text({ expected: "an audience", isValid: isFilled });

/** Tokens and secrets cross the network in the clear to no host but this one. */
function isSafeUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.hash !== "") return false;
  return url.protocol === "https:" ||
    (url.protocol === "http:" && /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname));
}

const url = text({ expected: "an https address", isValid: isSafeUrl });

const common = {
  scope: text({ expected: "a scope without white space", isValid: (value) => /^\S+$/.test(value) })
    .optional().describe("Scope that a token must have. Default: none."),
  unlisted_users: flag().default(false)
    .describe("Accept users that are not configured; they may only send as themselves."),
  timeout: duration({ minMs: 1 }).default("5s").describe("Time limit of one request."),
};

const jwks = table({
  type: z.literal("jwks"),
  url: url.describe("URL of the issuer's key set: https, or http on loopback."),
  issuer: issuer.describe("Required iss claim."),
  audience: listOf(audience, { atLeastOne: "audience" })
    .describe("Accepted audiences; a token must have at least one of them."),
  user_claim: text({ expected: "the name of a claim", isValid: isFilled }).default("email")
    .describe("Claim that contains the user name."),
  cache: duration({ minMs: 1000 }).default("1h").describe("How long keys are cached."),
  clock_skew: duration().default("1m").describe("Allowed clock difference."),
  ...common,
});

const introspection = table({
  type: z.literal("introspection"),
  url: url.describe("URL of the introspection endpoint: https, or http on loopback."),
  client_id: text({ expected: "a client id", isValid: isFilled })
    .describe("Client id of this relay at the issuer."),
  client_secret: secret(text({ expected: "a client secret", isValid: isFilled }))
    .describe("Client secret of this relay; use a reference."),
  issuer: issuer.optional().describe("Required iss member of a response. Default: any."),
  audience: listOf(audience).default([])
    .describe("Accepted audiences; a response must have at least one of them. Empty accepts any."),
  user_claim: text({ expected: "the name of a claim", isValid: isFilled }).default("username")
    .describe("Member that contains the user name."),
  cache: duration().default("1m").describe("How long a positive response is cached."),
  ...common,
});

/** The `[auth.oauth]` table. */
export const oauthSchema = z.discriminatedUnion("type", [jwks, introspection], {
  error: `one of "jwks", "introspection"`,
}).optional().describe("Bearer tokens (OAUTHBEARER and XOAUTH2).");

export function oauthConfig(
  doc: z.output<typeof jwks> | z.output<typeof introspection>,
): OauthConfig {
  const common: CommonOauthConfig = {
    userClaim: doc.user_claim,
    scope: doc.scope ?? null,
    unlistedUsers: doc.unlisted_users,
    timeoutMs: durationMs(doc.timeout),
    cacheMs: durationMs(doc.cache),
    issuer: doc.issuer ?? null,
    audience: doc.audience,
  };
  const { url } = doc;
  return doc.type === "jwks"
    ? { type: "jwks", url, clockSkewMs: durationMs(doc.clock_skew), ...common }
    : {
      type: "introspection",
      url,
      clientId: doc.client_id,
      clientSecret: doc.client_secret,
      ...common,
    };
}
