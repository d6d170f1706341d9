import { ACCEPT, type Decision } from "../policy/decision.ts";
import type { SessionFacts } from "./facts.ts";
import type { ReceptionRules } from "./rules.ts";

/** What a check is asked: who, and for what. */
export interface Question<Request> {
  readonly facts: SessionFacts;
  readonly request: Request;
}

/** Null goes on to the next check; a decision, to accept or to refuse, is final. */
export type Verdict = Decision | null;

/** One named decision of a stage. */
export interface Check<Request, Answer = Verdict | Promise<Verdict>> {
  /** In words of `snake_case`, as `explain` and the log name it. */
  readonly name: string;
  /** What it looks at, in a few words. */
  readonly about: string;
  /** Changes nothing; a value where it is at hand is better than a promise. */
  judge(question: Question<Request>, rules: ReceptionRules): Answer;
  /** Counts what this check let pass, also when a later one refuses: attempts count. */
  count?(question: Question<Request>, rules: ReceptionRules): void;
}

/** A check that answers at once. */
export type SyncCheck<Request, Made extends { readonly kind: string } = Decision> = Check<
  Request,
  Made | null
>;

/** Asks the checks in order until one decides; what none decides is accepted. */
export function decide<Request>(
  checks: readonly Check<Request>[],
  question: Question<Request>,
  rules: ReceptionRules,
): Decision | Promise<Decision> {
  for (let index = 0; index < checks.length; index++) {
    const check = checks[index] as Check<Request>;
    const verdict = check.judge(question, rules);
    if (verdict instanceof Promise) {
      return verdict.then((made) => {
        if (made !== null) return made;
        check.count?.(question, rules);
        return decide(checks.slice(index + 1), question, rules);
      });
    }
    if (verdict !== null) return verdict;
    check.count?.(question, rules);
  }
  return ACCEPT;
}

/** The same for a stage that must answer at once. */
export function decideNow<Request, Made extends { readonly kind: string }>(
  checks: readonly SyncCheck<Request, Made>[],
  question: Question<Request>,
  { rules, otherwise }: { rules: ReceptionRules; otherwise: Made },
): Made {
  for (const check of checks) {
    const verdict = check.judge(question, rules);
    if (verdict !== null) return verdict;
    check.count?.(question, rules);
  }
  return otherwise;
}

/** A refusal as the verdict of a check; what is accepted goes on to the next one. */
export function refusalIn(decision: Decision): Verdict {
  return decision.kind === "refuse" ? decision : null;
}
