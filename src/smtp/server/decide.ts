import type { Decision } from "../../policy/decision.ts";
import type { VerbResult } from "./verb.ts";

/** Whether a refusal ends the session (RFC 5321 3.8). */
export function isClosing(decision: Decision): boolean {
  return decision.kind === "refuse" && decision.reply.code === 421;
}

/** Goes on with a decision, at once where it is no promise. */
export function whenDecided(
  decision: Decision | Promise<Decision>,
  then: (decision: Decision) => VerbResult,
): VerbResult | Promise<VerbResult> {
  return decision instanceof Promise ? decision.then(then) : then(decision);
}
