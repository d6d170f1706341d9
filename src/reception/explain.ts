import { formatReply } from "../mail/reply.ts";
import type { Check } from "./check.ts";
import { CONNECT_CHECKS, EHLO_CHECKS, MAIL_CHECKS, RCPT_CHECKS } from "./checks.ts";
import type { MailRequest, RecipientRequest, SessionFacts } from "./facts.ts";
import type { ReceptionRules } from "./rules.ts";

/** What one check says of a client, a sender or a recipient. */
export interface ExplainedCheck {
  readonly stage: "connect" | "ehlo" | "mail" | "rcpt";
  readonly check: string;
  /** What it looks at. */
  readonly about: string;
  /** `passes` goes on to the next check; `skipped` is not asked, since an earlier one decided. */
  readonly verdict: "passes" | "accepts" | "refuses" | "skipped";
  /** The reply of a refusal; empty for others. */
  readonly reply: string;
  /** What the log says beside the reply; empty where there is no more. */
  readonly cause: string;
}

/** Every check of every stage before the content, in order, asked without counting anything. */
export async function explainReception(
  { facts, mail, rcpt }: {
    readonly facts: SessionFacts;
    readonly mail: MailRequest;
    readonly rcpt: RecipientRequest;
  },
  rules: ReceptionRules,
): Promise<readonly ExplainedCheck[]> {
  const stages = [
    () => explainStage("connect", CONNECT_CHECKS, { facts, request: null, rules }),
    () => explainStage("ehlo", EHLO_CHECKS, { facts, request: null, rules }),
    () => explainStage("mail", MAIL_CHECKS, { facts, request: mail, rules }),
    () => explainStage("rcpt", RCPT_CHECKS, { facts, request: rcpt, rules }),
  ];
  const explained: ExplainedCheck[] = [];
  for (const explain of stages) explained.push(...await explain());
  const refusedAt = explained.findIndex(({ verdict }) => verdict === "refuses");
  return explained.map((one, index) =>
    refusedAt >= 0 && index > refusedAt ? { ...one, verdict: "skipped", reply: "", cause: "" } : one
  );
}

async function explainStage<Request>(
  stage: ExplainedCheck["stage"],
  checks: readonly Check<Request>[],
  { facts, request, rules }: { facts: SessionFacts; request: Request; rules: ReceptionRules },
): Promise<ExplainedCheck[]> {
  const explained: ExplainedCheck[] = [];
  let isDecided = false;
  for (const { name: check, about, judge } of checks) {
    const asked = { stage, check, about, reply: "", cause: "" };
    const made = isDecided ? null : await judge({ facts, request }, rules);
    if (made === null) {
      explained.push({ ...asked, verdict: isDecided ? "skipped" : "passes" });
      continue;
    }
    isDecided = true;
    explained.push(
      made.kind === "accept" ? { ...asked, verdict: "accepts" } : {
        ...asked,
        verdict: "refuses",
        reply: formatReply(made.reply),
        cause: made.cause ?? "",
      },
    );
  }
  return explained;
}
