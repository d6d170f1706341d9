import type { TlsLevel, TlsPolicy, TlsSettings } from "./policy.ts";

/** What is asked of connections, before it is known to which host. */
export interface TlsRule {
  readonly level: TlsLevel;
  /**
   * For `verified`: names that certificates must be for, `*.example.net` for any one label before
   * it. Where not given, the host's or that of the domain it serves.
   */
  readonly names?: readonly string[] | undefined;
  /** For `fingerprint`: SHA-256 of the DER form, lower-case hex; at least one. */
  readonly fingerprints?: readonly string[] | undefined;
}

/** The TLS rules of one transport. */
export interface TlsRules {
  readonly rule: TlsRule;
  /** Rules for some domains in place of `rule`, the first that fits. */
  readonly overrides?: readonly TlsOverride[];
  readonly settings?: TlsSettings;
  /** Whether hosts are held to the TLSA records that they publish, where the rule asks for less. */
  readonly dane?: boolean;
  /** Whether domains' MTA-STS policies are followed, where the rule asks for less. */
  readonly mtaSts?: boolean;
}

/** Another rule for some domains. */
export interface TlsOverride {
  /** `example.net`, or `*.example.net` for its subdomains. */
  readonly domain: string;
  readonly rule: TlsRule;
}

/** TLS wherever it is offered. */
export const OPPORTUNISTIC: TlsRules = { rule: { level: "opportunistic" } };

/** A host that mail for a domain goes to. */
export interface TlsTarget {
  readonly host: string;
  readonly port: number;
  /** The domain it serves; null where it serves all. */
  readonly domain: string | null;
  /** Whether it is certain that it serves the domain: by configuration, or by DNSSEC. */
  readonly authentic: boolean;
}

/** The rule that holds for a domain. */
export function ruleFor({ rule, overrides = [] }: TlsRules, domain: string): TlsRule {
  return overrides.find((override) => fits(override.domain, domain))?.rule ?? rule;
}

/** The policy that a rule means for a host; `dane` apart, which the DNS is asked for. */
export function policyOf(
  { level, names, fingerprints = [] }: TlsRule & { readonly level: Exclude<TlsLevel, "dane"> },
  { host, domain }: Pick<TlsTarget, "host" | "domain">,
): TlsPolicy {
  switch (level) {
    case "none":
    case "opportunistic":
    case "required":
      return { level };
    case "verified": {
      const own = domain === null || domain === host ? [host] : [host, domain];
      return { level, names: names ?? own, by: "config" };
    }
    case "fingerprint":
      return { level, fingerprints };
  }
}

function fits(pattern: string, domain: string): boolean {
  return pattern.startsWith("*.") ? domain.endsWith(pattern.slice(1)) : pattern === domain;
}
