import type { Decision } from "../../policy/decision.ts";
import type { VerbResult } from "./verb.ts";

/** Goes on with a decision, at once where it is no promise. */
export function whenDecided(
  decision: Decision | Promise<Decision>,
  then: (decision: Decision) => VerbResult,
): VerbResult | Promise<VerbResult> {
  return decision instanceof Promise ? decision.then(then) : then(decision);
}
