import { compileRules, type RouteFacts, type RouteMatch, type RouteRule } from "./route.ts";
import type { Misfit } from "./route_match.ts";

/** Why a rule fits or does not. */
export interface RouteStep {
  readonly rule: RouteRule;
  readonly fits: boolean;
  /** One sentence for people. */
  readonly reason: string;
}

const WORDS: Readonly<Record<keyof RouteMatch, string>> = {
  recipientDomain: "the recipient's domain",
  recipient: "the recipient",
  sender: "the sender",
  listener: "the listener",
  user: "the user",
  header: "the header field",
  minSizeBytes: "the size",
  maxSizeBytes: "the size",
  minPriority: "the priority",
  maxPriority: "the priority",
};

/** Looks at the rules as `chooseRoute` does, up to the one that fits, and says why. */
export function explainRoute(rules: readonly RouteRule[], facts: RouteFacts): RouteStep[] {
  const steps: RouteStep[] = [];
  for (const { rule, misfit } of compileRules(rules)) {
    const why = misfit(facts);
    const reason = why === null ? fitReason(rule, facts) : misfitReason(rule, { why, facts });
    steps.push({ rule, fits: why === null, reason });
    if (why === null) break;
  }
  return steps;
}

function misfitReason(
  { match }: RouteRule,
  { why: { key, field }, facts }: { why: Misfit; facts: RouteFacts },
): string {
  const subject = `${subjectOf(key, field)} ${valueOf(key, { facts, field })}`;
  switch (key) {
    case "minSizeBytes":
    case "minPriority":
      return `${subject} is below ${match[key]}`;
    case "maxSizeBytes":
    case "maxPriority":
      return `${subject} is above ${match[key]}`;
    case "header": {
      const wanted = match.header?.find(({ name }) => name === field)?.patterns ?? [];
      return `${subject} is none of ${wanted.map(shown).join(", ")}`;
    }
    default:
      return `${subject} is none of ${match[key]?.map(shown).join(", ") ?? ""}`;
  }
}

function fitReason({ match }: RouteRule, facts: RouteFacts): string {
  const keys = Object.keys(match) as (keyof RouteMatch)[];
  if (keys.length === 0) return "it fits everything";
  const parts = keys.flatMap((key) => {
    if (key !== "header") return [`${WORDS[key]} ${valueOf(key, { facts })}`];
    const fields = match.header ?? [];
    return fields.map(({ name }) =>
      `${subjectOf(key, name)} ${valueOf(key, { facts, field: name })}`
    );
  });
  return `${[...new Set(parts)].join(", ")} matches`;
}

function subjectOf(key: keyof RouteMatch, field: string | undefined): string {
  return field === undefined ? WORDS[key] : `${WORDS[key]} ${field}`;
}

function valueOf(
  key: keyof RouteMatch,
  { facts, field }: { facts: RouteFacts; field?: string | undefined },
): string {
  switch (key) {
    case "recipientDomain":
      return shown(facts.domain);
    case "recipient":
      return shown(facts.forwardPath);
    case "sender":
      return shown(facts.reversePath);
    case "listener":
      return shown(facts.listener);
    case "user":
      return shown(facts.user ?? "");
    case "header":
      return facts.headers?.[field ?? ""]?.map(shown).join(", ") ?? "(absent)";
    case "minSizeBytes":
    case "maxSizeBytes":
      return String(facts.sizeBytes ?? 0);
    case "minPriority":
    case "maxPriority":
      return String(facts.priority ?? 0);
  }
}

/** The null reverse-path, and no user, as people know them. */
function shown(value: string): string {
  return value === "" ? "<>" : value;
}
