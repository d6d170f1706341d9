import { reply } from "../mail/reply.ts";
import { ACCEPT, type Decision, refuse } from "../policy/decision.ts";
import type { SuppressionList } from "../queue/suppressions.ts";
import type { ServerPolicy } from "../smtp/server/policy.ts";

const SUPPRESSED = reply(550, "5.7.1", "Recipient is on the suppression list of this relay");

/** Refuses recipients that get no mail at RCPT, so that their senders learn it at once. */
export function suppressingPolicy(
  policy: ServerPolicy,
  suppressions: SuppressionList,
): ServerPolicy {
  const judge = async (mailbox: string): Promise<Decision> => {
    const found = await suppressions.find(mailbox);
    return found === null ? ACCEPT : refuse(SUPPRESSED, `${found.source}: ${found.reason}`);
  };
  return {
    ...policy,
    rcpt(facts, request) {
      const decision = policy.rcpt(facts, request);
      if (!suppressions.mayHave(request.recipient.text)) return decision;
      if (!(decision instanceof Promise)) {
        return decision.kind === "refuse" ? decision : judge(request.recipient.text);
      }
      return decision.then((made) => made.kind === "refuse" ? made : judge(request.recipient.text));
    },
  };
}
