import type { z } from "zod";
import { flag, listOf, oneOf, table, text } from "../fields.ts";
import { secret } from "../secrets.ts";

/** The mechanisms that a transport can log in with, the strongest first. */
export const MECHANISMS = [
  "SCRAM-SHA-256",
  "OAUTHBEARER",
  "XOAUTH2",
  "CRAM-MD5",
  "PLAIN",
  "LOGIN",
] as const;

/** Who this relay is to the servers of a transport. */
export interface AuthConfig {
  readonly username: string;
  readonly credentials:
    | { readonly kind: "password"; readonly password: string }
    | {
      readonly kind: "oauth";
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly refreshToken: string | null;
      readonly scope: string | null;
    };
  /** Those that may be used, the preferred first. */
  readonly mechanisms: readonly (typeof MECHANISMS)[number][];
  /** Whether the login may be sent over a connection without TLS. */
  readonly allowPlain: boolean;
}

const isFilled = (value: string): boolean => value !== "";

const oauth = table({
  token_url: text({
    expected: `the address of the token endpoint, such as "https://login.example.net/token"`,
    isValid: (value) => /^https?:\/\//.test(value) && URL.canParse(value),
  }).describe("URL that issues access tokens."),
  client_id: text({ expected: "a client id", isValid: isFilled }).describe("Client id."),
  client_secret: secret(text({ expected: "a client secret" })).default("")
    .describe("Client secret."),
  refresh_token: secret(text({ expected: "a refresh token", isValid: isFilled })).optional()
    .describe("Refresh token of a user. Without it, tokens are the client's own."),
  scope: text({ expected: "a scope", isValid: isFilled }).optional()
    .describe("Scope to request."),
}).optional().describe("Access tokens instead of a password (RFC 6749).");

const HAS_CREDENTIALS = "either a password or an oauth table";

/** `[transports.NAME.auth]`. */
export const authSchema = table({
  username: text({ expected: "a user name", isValid: isFilled }).describe("User name."),
  password: secret(text({ expected: "a password", isValid: isFilled })).optional()
    .describe("Password."),
  oauth,
  mechanisms: listOf(oneOf(MECHANISMS), { atLeastOne: "mechanism" }).default([...MECHANISMS])
    .describe("Allowed SASL mechanisms, in order of preference."),
  allow_plain: flag().default(false)
    .describe("Allow the login on connections without TLS."),
}).refine(({ password, oauth }) => (password === undefined) !== (oauth === undefined), {
  error: HAS_CREDENTIALS,
}).optional().describe("Login to the servers.");

export function authConfig(doc: NonNullable<z.output<typeof authSchema>>): AuthConfig {
  return {
    username: doc.username,
    credentials: credentialsOf(doc),
    mechanisms: doc.mechanisms,
    allowPlain: doc.allow_plain,
  };
}

function credentialsOf(
  { password = "", oauth }: NonNullable<z.output<typeof authSchema>>,
): AuthConfig["credentials"] {
  if (oauth === undefined) return { kind: "password", password };
  return {
    kind: "oauth",
    tokenUrl: oauth.token_url,
    clientId: oauth.client_id,
    clientSecret: oauth.client_secret,
    refreshToken: oauth.refresh_token ?? null,
    scope: oauth.scope ?? null,
  };
}
