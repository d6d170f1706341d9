import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import type { SaslStep, Verdict } from "../../../src/auth/sasl/mechanism.ts";

/** The verdict that says yes. */
export const YES: Verdict = { kind: "accepted", proof: { user: "tim", device: null } };

/** The verdict that says no. */
export const NO: Verdict = { kind: "refused", failure: "credentials", cause: "wrong" };

type StepOf<Kind extends SaslStep["kind"]> = Extract<SaslStep, { kind: Kind }>;

/** The step as the kind it has to be. */
export function expectStep<Kind extends SaslStep["kind"]>(
  step: SaslStep,
  kind: Kind,
): StepOf<Kind> {
  if (step.kind === kind) return step as StepOf<Kind>;
  throw new Error(`expected a step ${kind}, got ${JSON.stringify(step)}`);
}

/** The text of a challenge. */
export function challengeText(step: SaslStep): string {
  return decodeText(expectStep(step, "challenge").data);
}

/** What follows when a client answers a challenge with `text`. */
export function answer(step: SaslStep, text: string): SaslStep {
  return expectStep(step, "challenge").next(encodeText(text));
}

/** `failure: cause` of a failure, the kind of any other step. */
export function summaryOf(step: SaslStep): string {
  return step.kind === "failure" ? `${step.failure}: ${step.cause}` : step.kind;
}
