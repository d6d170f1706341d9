import type { ThrottleRules } from "./settings.ts";

/** What is remembered of failures for one key, an address or a user. */
export interface Penalty {
  readonly failures: number;
  readonly lastFailureMs: number;
  /** When the next attempt may be checked. */
  readonly nextAtMs: number;
}

/** What is remembered where nothing is known. */
export const NO_PENALTY: Penalty = { failures: 0, lastFailureMs: 0, nextAtMs: 0 };

/** How long an attempt that comes now has to wait. */
export function waitOf({ nextAtMs }: Penalty, nowMs: number): number {
  return Math.max(0, nextAtMs - nowMs);
}

/** The penalty after an attempt that begins to wait now; attempts side by side wait in line. */
export function reserved(
  penalty: Penalty,
  { nowMs, rules }: { nowMs: number; rules: ThrottleRules },
): Penalty {
  const delayMs = delayAfter(failuresAt(penalty, { nowMs, rules }), rules);
  if (delayMs === 0) return penalty;
  return { ...penalty, nextAtMs: Math.max(nowMs, penalty.nextAtMs) + delayMs };
}

/** The penalty after a failure. */
export function afterFailure(
  penalty: Penalty,
  { nowMs, rules }: { nowMs: number; rules: ThrottleRules },
): Penalty {
  const failures = failuresAt(penalty, { nowMs, rules }) + 1;
  const nextAtMs = Math.max(penalty.nextAtMs, nowMs + delayAfter(failures, rules));
  return { failures, lastFailureMs: nowMs, nextAtMs };
}

/** What the failures so far cost the next attempt. */
export function delayAfter(failures: number, rules: ThrottleRules): number {
  const paid = failures - rules.freeFailures;
  if (paid <= 0) return 0;
  return Math.min(rules.maxDelayMs, rules.delayMs * 2 ** Math.min(paid - 1, 30));
}

/** Failures that still count: half of them for each `forgetMs` that went by. */
function failuresAt(
  { failures, lastFailureMs }: Penalty,
  { nowMs, rules }: { nowMs: number; rules: ThrottleRules },
): number {
  const halvings = Math.min(30, Math.floor((nowMs - lastFailureMs) / rules.forgetMs));
  return failures >> halvings;
}
