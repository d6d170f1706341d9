import type { Plan, PlannedMail, Step } from "./plan.ts";

/** Whether a plan still breaks the rule that is looked for. */
export type Breaks = (plan: Plan) => Promise<boolean>;

/** The most plans that are tried. */
const MOST_TRIES = 400;

/**
 * Leaves out of a failing plan what it fails without: steps first, then recipients, then time. What
 * is left fails by the same rule and is short enough to read.
 */
export async function shrink(plan: Plan, breaks: Breaks): Promise<Plan> {
  let tries = 0;
  const stillBreaks = async (candidate: Plan): Promise<boolean> =>
    ++tries <= MOST_TRIES && await breaks(candidate);
  let smaller = await withoutSteps(plan, stillBreaks);
  smaller = await withFewerRecipients(smaller, stillBreaks);
  return await endedSooner(smaller, stillBreaks);
}

/** Leaves out larger parts first, then smaller ones (Zeller's delta debugging). */
async function withoutSteps(plan: Plan, breaks: Breaks): Promise<Plan> {
  let steps = plan.steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < steps.length;) {
      const fewer = [...steps.slice(0, from), ...steps.slice(from + size)];
      if (await breaks({ ...plan, steps: fewer })) steps = fewer;
      else from += size;
    }
  }
  return { ...plan, steps };
}

async function withFewerRecipients(plan: Plan, breaks: Breaks): Promise<Plan> {
  let smaller = plan;
  for (let index = 0; index < plan.steps.length; index++) {
    for (;;) {
      const step = smaller.steps[index];
      if (step?.kind !== "mail" || step.mail.recipients.length < 2) break;
      const { recipients } = step.mail;
      const half = Math.ceil(recipients.length / 2);
      const parts = [recipients.slice(0, half), recipients.slice(half)];
      const fitting = await firstThat(
        parts.map((part) => withMail(smaller, { index, mail: { ...step.mail, recipients: part } })),
        breaks,
      );
      if (fitting === null) break;
      smaller = fitting;
    }
  }
  return smaller;
}

async function endedSooner(plan: Plan, breaks: Breaks): Promise<Plan> {
  const lastMs = Math.max(0, ...plan.steps.map(lastsUntil)) + 1;
  const sooner = { ...plan, endMs: Math.min(plan.endMs, lastMs) };
  return await breaks(sooner) ? sooner : plan;
}

function lastsUntil(step: Step): number {
  return step.kind === "calm" ? step.atMs + step.forMs : step.atMs;
}

async function firstThat(plans: readonly Plan[], breaks: Breaks): Promise<Plan | null> {
  for (const plan of plans) if (await breaks(plan)) return plan;
  return null;
}

function withMail(plan: Plan, { index, mail }: { index: number; mail: PlannedMail }): Plan {
  const steps = plan.steps.map((step, place): Step =>
    place === index && step.kind === "mail" ? { ...step, mail } : step
  );
  return { ...plan, steps };
}
