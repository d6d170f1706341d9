import type { TlsaRecord } from "../../net/resolver.ts";
import type { TlsFailureType } from "./judge.ts";
import type { TlsPolicy } from "./policy.ts";
import type { StsFailure } from "./sts_fetch.ts";
import type { StsPolicy } from "./sts_policy.ts";

/** What a domain publishes of its exchangers' TLS, as reports name it (RFC 8460 section 4.2). */
export type PublishedPolicy =
  | {
    readonly type: "tlsa" | "sts";
    /** The policy as it is published, a record or a line each. */
    readonly strings: readonly string[];
    /** Names of exchangers in a policy of MTA-STS. */
    readonly mxPatterns: readonly string[];
  }
  | { readonly type: "no-policy-found" };

/** What a connection is held against in reports, whether or not mail depends on it. */
export interface TlsExpectation {
  /** The domain whose mail it is. */
  readonly domain: string;
  readonly published: PublishedPolicy;
  readonly policy: TlsPolicy;
  /** What is wrong with that which is published, whatever connections come to. */
  readonly defect?: ReportedFailure;
}

/** Why TLS was not what a domain publishes (RFC 8460 section 4.3). */
export type ReportedFailure =
  | TlsFailureType
  | StsFailure
  /** DNSSEC does not vouch for what may be TLSA records. */
  | "dnssec-invalid"
  /** None of the TLSA records can be used. */
  | "tlsa-invalid"
  /** This relay asks for TLSA records, and there are none. */
  | "dane-required";

/** What one connection, or the attempt at one, came to. */
export interface TlsOutcome {
  readonly domain: string;
  readonly published: PublishedPolicy;
  /** Null for what a domain may expect. */
  readonly failure: {
    readonly type: ReportedFailure;
    /** The exchanger, where it came to that; empty where it did not. */
    readonly host: string;
    readonly receivingAddress: string;
    readonly sendingAddress: string;
  } | null;
}

/** Is notified of every outcome; must not throw and must not block. */
export type TlsOutcomeSink = (outcome: TlsOutcome) => void;

/** A policy that is said to be there and could not be had. */
export function unknownPolicy(type: "tlsa" | "sts"): PublishedPolicy {
  return { type, strings: [], mxPatterns: [] };
}

/** TLSA records as reports write them: `3 1 1 0123…`. */
export function publishedTlsa(records: readonly TlsaRecord[]): PublishedPolicy {
  const strings = records.map(({ usage, selector, matchingType, data }) =>
    `${usage} ${selector} ${matchingType} ${data.toHex()}`
  );
  return { type: "tlsa", strings, mxPatterns: [] };
}

/** A policy of MTA-STS as reports write it. */
export function publishedSts({ mode, mx, maxAgeMs }: StsPolicy): PublishedPolicy {
  const strings = [
    "version: STSv1",
    `mode: ${mode}`,
    ...mx.map((name) => `mx: ${name}`),
    `max_age: ${maxAgeMs / 1000}`,
  ];
  return { type: "sts", strings, mxPatterns: mx };
}
