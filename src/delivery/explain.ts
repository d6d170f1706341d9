import { misfit, type RouteFacts, type RouteMatch, type RouteRule } from "./route.ts";

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
};

/** Looks at the rules as `chooseRoute` does, up to the one that fits, and says why. */
export function explainRoute(rules: readonly RouteRule[], facts: RouteFacts): RouteStep[] {
  const steps: RouteStep[] = [];
  for (const rule of rules) {
    const key = misfit(rule.match, facts);
    steps.push({ rule, fits: key === null, reason: reasonOf(rule, { key, facts }) });
    if (key === null) break;
  }
  return steps;
}

function reasonOf(
  { match }: RouteRule,
  { key, facts }: { key: keyof RouteMatch | null; facts: RouteFacts },
): string {
  if (key !== null) {
    const patterns = match[key]?.map(shown).join(", ") ?? "";
    return `${WORDS[key]} ${shown(valueOf(key, facts))} is none of ${patterns}`;
  }
  const keys = Object.keys(match) as (keyof RouteMatch)[];
  if (keys.length === 0) return "it fits everything";
  return `${keys.map((each) => `${WORDS[each]} ${shown(valueOf(each, facts))}`).join(", ")} fits`;
}

function valueOf(key: keyof RouteMatch, facts: RouteFacts): string {
  switch (key) {
    case "recipientDomain":
      return facts.domain;
    case "recipient":
      return facts.forwardPath;
    case "sender":
      return facts.reversePath;
    case "listener":
      return facts.listener;
    case "user":
      return facts.user ?? "";
  }
}

/** The null reverse-path, and no user, as people know them. */
function shown(value: string): string {
  return value === "" ? "<>" : value;
}
