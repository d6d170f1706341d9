import type { SenderCheck } from "./authenticator.ts";

/** How clients authenticate. */
export interface AuthSettings {
  /** The mechanisms that may be offered; null for all. */
  readonly mechanisms: readonly string[] | null;
  /** Passwords that are hashed at once; each takes a core and the memory of its cost. */
  readonly maxHashing: number;
  /** How long a password that was right need not be hashed again; 0 for not at all. */
  readonly cacheMs: number;
  readonly throttle: ThrottleRules;
  /** Null where tokens are not taken. */
  readonly oauth: OauthSettings | null;
  readonly certificates: readonly CertificateRule[];
}

/** How wrong passwords are slowed. */
export interface ThrottleRules {
  /** Failures of one address, or for one user, that cost nothing. */
  readonly freeFailures: number;
  /** What the next failure costs; doubles with each one. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** After this time without failures their number is halved. */
  readonly forgetMs: number;
}

/** A user and what proves to be it. */
export interface UserSettings {
  readonly name: string;
  /** A user that is not enabled cannot authenticate. */
  readonly enabled: boolean;
  /** PHC string; null for a user without a password of its own. */
  readonly password: string | null;
  /** Keys for SCRAM as RFC 5803 writes them. */
  readonly scram: string | null;
  /** Passwords that can be revoked one by one. */
  readonly devices: readonly DeviceSettings[];
  readonly senders: readonly string[] | null;
  readonly senderCheck?: SenderCheck;
  readonly messageSizeBytes: number | null;
  readonly messagesPerHour: number | null;
  readonly messagesPerDay: number | null;
}

/** A named password of a user. */
export interface DeviceSettings {
  readonly name: string;
  readonly password: string;
  readonly scram: string | null;
}

/** A certificate that stands for a user; exactly one of the three last is given. */
export interface CertificateRule {
  readonly user: string;
  /** SHA-256 of the certificate, hex, colons allowed; enough by itself. */
  readonly fingerprint: string | null;
  /** Distinguished name of a certificate that chains to a trusted root. */
  readonly subject: string | null;
  /** DNS name of a certificate that chains to a trusted root. */
  readonly san: string | null;
}

/** Whose tokens are taken, and how they are checked. */
export type OauthSettings = JwksSettings | IntrospectionSettings;

/** What both ways of checking have in common. */
export interface CommonOauthSettings {
  /** The claim that names the user. */
  readonly userClaim: string;
  /** A scope the token must have; null for none. */
  readonly scope: string | null;
  /** Whether users that are not configured may log in; they may send as themselves alone. */
  readonly unlistedUsers: boolean;
  /** For one request. */
  readonly timeoutMs: number;
  /** How long keys, or the answer about a token, hold. */
  readonly cacheMs: number;
  /** The issuer the token must name; null where any will do. */
  readonly issuer: string | null;
  /** Audiences, of which the token must name one; empty where any will do. */
  readonly audience: readonly string[];
}

/** Tokens are JWTs; their keys are fetched (RFC 7517). */
export interface JwksSettings extends CommonOauthSettings {
  readonly type: "jwks";
  readonly url: string;
  /** How far clocks may be apart. */
  readonly clockSkewMs: number;
}

/** The authorization server is asked about each token (RFC 7662). */
export interface IntrospectionSettings extends CommonOauthSettings {
  readonly type: "introspection";
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
}
