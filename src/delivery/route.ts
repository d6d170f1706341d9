import { compileMatch, type Matcher, type RouteFacts, type RouteMatch } from "./route_match.ts";
import type { Treatment } from "./treatment.ts";

export type { RouteFacts, RouteMatch } from "./route_match.ts";

/** One rule of the ordered list of routes. */
export interface RouteRule {
  readonly name: string;
  /** Keys that are present must all fit; an empty match fits everything. */
  readonly match: RouteMatch;
  /** Names of transports in the order in which they are tried, unless `weights` says otherwise. */
  readonly transports: readonly string[];
  /**
   * How often each transport comes first, in their order; the others then stand in for it by
   * their weights. Chosen anew at every attempt.
   */
  readonly weights?: readonly number[];
  /** Whether a message rather takes the next transport than lose something to a conversion. */
  readonly rawOnly?: boolean;
  /** What becomes of its mail; absent means that it is delivered. */
  readonly treatment?: Treatment;
}

/** A rule with its match compiled. */
export interface CompiledRule {
  readonly rule: RouteRule;
  readonly misfit: Matcher;
}

/** Compiles rules for many questions. */
export function compileRules(rules: readonly RouteRule[]): readonly CompiledRule[] {
  return rules.map((rule) => ({ rule, misfit: compileMatch(rule.match) }));
}

/** Whether the rules need nothing but the recipient's domain, so that its answer can be shared. */
export function routesByDomainOnly(rules: readonly RouteRule[]): boolean {
  return rules.every(({ match, treatment }) =>
    treatment === undefined &&
    Object.keys(match).every((key) => key === "recipientDomain")
  );
}

/** The names of the header fields that the rules look at, in lower case. */
export function headersOfRoutes(rules: readonly { readonly match: RouteMatch }[]): string[] {
  const names = rules.flatMap(({ match }) => match.header?.map(({ name }) => name) ?? []);
  return [...new Set(names)];
}

/** The first rule that fits; null when none does. */
export function chooseRoute(rules: readonly CompiledRule[], facts: RouteFacts): RouteRule | null {
  for (const { rule, misfit } of rules) if (misfit(facts) === null) return rule;
  return null;
}
