import { domainPatterns, type Fits } from "../patterns.ts";
import type { Limits } from "./limiter.ts";

/** Limits and what they are for. Every rule that fits holds. */
export interface ShapingRule {
  readonly name: string;
  /** Keys that are present must all fit; the patterns of one key are alternatives. */
  readonly match: ShapingMatch;
  /** Whether all that fits shares the limits; otherwise each destination has its own. */
  readonly shared: boolean;
  readonly limits: Limits;
}

/** What a rule looks at. */
export interface ShapingMatch {
  /** Recipient domains: `example.net`, `*.example.net`, `*`. */
  readonly domain?: readonly string[];
  /** Mail exchangers of the recipient domain: `*.mail.example`. */
  readonly mx?: readonly string[];
  /** Names of transports. */
  readonly transport?: readonly string[];
  /** Names of routes. */
  readonly route?: readonly string[];
}

/** What is known of mail on its way to a destination. */
export interface ShapingFacts {
  readonly transport: string;
  readonly route: string;
  readonly domain: string;
  /** Names of the exchangers in lower case; empty where the transport does not ask for them. */
  readonly exchangers: readonly string[];
}

/** A rule with its patterns compiled. */
export interface CompiledShapingRule {
  readonly rule: ShapingRule;
  readonly fits: (facts: ShapingFacts) => boolean;
  /** Whether what it says may differ for mail of one destination. */
  readonly splitsDestinations: boolean;
}

/** Compiles a rule. */
export function compileShapingRule(rule: ShapingRule): CompiledShapingRule {
  const { domain, mx, transport, route } = rule.match;
  const fitsDomain = domain === undefined ? null : domainPatterns(domain);
  const fitsMx = mx === undefined ? null : domainPatterns(mx);
  return {
    rule,
    splitsDestinations: domain !== undefined || mx !== undefined || route !== undefined,
    fits: (facts) =>
      (transport?.includes(facts.transport) ?? true) &&
      (route?.includes(facts.route) ?? true) &&
      fitsOr(fitsDomain, [facts.domain]) && fitsOr(fitsMx, facts.exchangers),
  };
}

function fitsOr(fits: Fits | null, values: readonly string[]): boolean {
  return fits === null || values.some(fits);
}
