import type { z } from "zod";
import { duration, listOf, oneOf, table, text, wholeNumber } from "../fields.ts";
import { durationMs } from "../units.ts";
import { type OauthConfig, oauthConfig, oauthSchema } from "./auth_oauth.ts";

/** How clients prove who they are. */
export interface AuthenticationConfig {
  /** File of users beside those of the config; null for `users.toml` in the data folder. */
  readonly usersFile: string | null;
  /** The mechanisms that may be offered; null for all. */
  readonly mechanisms: readonly string[] | null;
  /** Passwords hashed at once. */
  readonly maxHashing: number;
  /** How long a password that was right need not be hashed again; 0 for not at all. */
  readonly cacheMs: number;
  readonly throttle: ThrottleConfig;
  /** Null where no tokens are taken. */
  readonly oauth: OauthConfig | null;
  readonly certificates: readonly CertificateConfig[];
}

/** How wrong passwords are slowed. */
export interface ThrottleConfig {
  readonly freeFailures: number;
  readonly delayMs: number;
  readonly maxDelayMs: number;
  readonly forgetMs: number;
}

/** A certificate that stands for a user; exactly one of the three last is given. */
export interface CertificateConfig {
  readonly user: string;
  readonly fingerprint: string | null;
  readonly subject: string | null;
  readonly san: string | null;
}

const MECHANISMS = [
  "EXTERNAL",
  "SCRAM-SHA-256",
  "OAUTHBEARER",
  "XOAUTH2",
  "PLAIN",
  "LOGIN",
] as const;

const isFilled = (value: string): boolean => value !== "";

const certificate = table({
  user: text({ expected: "the name of a user", isValid: isFilled })
    .describe("User that the certificate authenticates."),
  fingerprint: text({
    expected: "a SHA-256 fingerprint of 64 hex digits, with or without colons",
    isValid: (value) => /^[\da-f]{64}$/i.test(value.replaceAll(":", "")),
  }).optional().describe("SHA-256 fingerprint of the certificate, which may be self-signed."),
  subject: text({ expected: "a distinguished name", isValid: isFilled }).optional()
    .describe("Distinguished name of a certificate signed by an authority in tls.client_ca."),
  san: text({ expected: "a DNS name", isValid: isFilled }).optional()
    .describe("DNS name of a certificate signed by an authority in tls.client_ca."),
}).refine(
  ({ fingerprint, subject, san }) =>
    [fingerprint, subject, san].filter((key) => key !== undefined).length === 1,
  { error: "exactly one of fingerprint, subject and san" },
);

const throttle = table({
  free_failures: wholeNumber({ min: 0, max: 1000 }).default(3)
    .describe(
      "Wrong passwords without a delay, for each client address and for each user from one " +
        "network.",
    ),
  delay: duration({ minMs: 1 }).default("1s")
    .describe("Delay after the next wrong password; doubles with each one."),
  max_delay: duration({ minMs: 1 }).default("30s")
    .describe("Longest delay; an attempt that would wait longer is refused."),
  forget: duration({ minMs: 1000 }).default("15m")
    .describe("Time without wrong passwords after which the count is halved."),
}).prefault({}).describe("Throttling of wrong passwords.");

/** The `[auth]` table. */
export const authenticationSchema = table({
  users_file: text({ expected: "the path of a file", isValid: isFilled }).optional()
    .describe("File that posthouse user writes. Default: users.toml in data_dir."),
  mechanisms: listOf(oneOf(MECHANISMS), { atLeastOne: "mechanism" }).optional()
    .describe("SASL mechanisms to offer. Default: all that the users can use."),
  max_hashing: wholeNumber({ min: 1, max: 64 }).default(2)
    .describe("Passwords hashed concurrently; each uses one core and 16 MiB."),
  cache: duration().default("5m")
    .describe(
      "How long a verified password is accepted from its address without hashing it again; 0 " +
        "disables the cache.",
    ),
  throttle,
  oauth: oauthSchema,
  certificates: listOf(certificate).default([])
    .describe("Client certificates that authenticate users."),
}).prefault({}).describe("Authentication of clients.");

export function authenticationConfig(
  doc: z.output<typeof authenticationSchema>,
): AuthenticationConfig {
  return {
    usersFile: doc.users_file ?? null,
    mechanisms: doc.mechanisms ?? null,
    maxHashing: doc.max_hashing,
    cacheMs: durationMs(doc.cache),
    throttle: {
      freeFailures: doc.throttle.free_failures,
      delayMs: durationMs(doc.throttle.delay),
      maxDelayMs: durationMs(doc.throttle.max_delay),
      forgetMs: durationMs(doc.throttle.forget),
    },
    oauth: doc.oauth === undefined ? null : oauthConfig(doc.oauth),
    certificates: doc.certificates.map(
      ({ user, fingerprint = null, subject = null, san = null }) => ({
        user,
        fingerprint,
        subject,
        san,
      }),
    ),
  };
}
