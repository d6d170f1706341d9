/** Whether the world will accept mail from a domain. */

/** Whether the world will accept mail from a domain that this relay sends for. */
export interface PreflightPort {
  /** Domains that the configuration suggests; somebody may ask for any other. */
  readonly domains: readonly string[];
  /** Asks the DNS and tries a connection; takes seconds. Never throws. */
  check(domain: string, options: { readonly signal: AbortSignal }): Promise<PreflightReport>;
}

export interface PreflightReport {
  readonly domain: string;
  readonly checkedAtMs: number;
  readonly checks: readonly PreflightCheck[];
}

export const PREFLIGHT_VERDICTS = ["pass", "warning", "fail", "unknown"] as const;

/** `unknown`: it could not be found out, for example because the DNS does not answer. */
export type PreflightVerdict = typeof PREFLIGHT_VERDICTS[number];

export interface PreflightCheck {
  /** `spf`, `dkim`, `arc`, `dmarc`, `mta_sts`, `tls_rpt`, `reverse_dns`, `port_25`. */
  readonly name: string;
  readonly title: string;
  readonly verdict: PreflightVerdict;
  /** What was found, in one sentence for people. */
  readonly detail: string;
  /** The records or answers themselves. */
  readonly found: readonly string[];
  /** What to do about it; empty when there is nothing to do. */
  readonly advice: string;
  /** Exactly what to add to the DNS. */
  readonly records: readonly DnsRecordAdvice[];
}

export interface DnsRecordAdvice {
  /** The whole name, without the final dot. */
  readonly name: string;
  readonly type: "TXT" | "PTR" | "A" | "CNAME" | "MX";
  readonly value: string;
}
