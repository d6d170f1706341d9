import type { SubmissionPort, SubmitRefusal, SubmitResult } from "../../admin/ports.ts";
import type { SubmissionResult } from "../../ingress/submission.ts";
import type { MessageSubmitter } from "../../ingress/submitter.ts";
import { formatReply, type Reply } from "../../mail/reply.ts";

/** Puts messages into the queue by the same way as those of clients. */
export function submissionPort(submitter: MessageSubmitter): SubmissionPort {
  return {
    get limitBytes() {
      return submitter.limits.messageBytes;
    },
    async submit({ by: user, senders = null, clientAddress, ...submission }) {
      const by = { user, senders, clientAddress };
      return resultOf(await submitter.submit({ ...submission, by }));
    },
  };
}

function resultOf(result: SubmissionResult): SubmitResult {
  switch (result.kind) {
    case "queued":
      return result;
    case "refused":
      return { kind: "refused", why: whyOf(result.reply), reason: reasonOf(result) };
    case "failed":
      return result.failure === "full"
        ? { kind: "refused", why: "full", reason: "There is no room for it in the queue." }
        : { kind: "refused", why: "unavailable", reason: "The queue does not answer." };
    case "conflict":
      return result.reason === "under_way"
        ? { kind: "refused", why: "under_way", reason: "A request of this name is under way." }
        : { kind: "refused", why: "key_taken", reason: "It came with another message." };
  }
}

function reasonOf({ reply, recipient }: Extract<SubmissionResult, { kind: "refused" }>): string {
  const text = formatReply(reply);
  return recipient === undefined ? text : `${text} (${recipient})`;
}

/** What a reply comes to where a status has to say it (RFC 3463 3.4, 3.6). */
function whyOf({ code, enhanced }: Reply): SubmitRefusal {
  if (enhanced === "5.3.4") return "too_large";
  if (enhanced === "4.5.3") return "too_many_recipients";
  if (enhanced === "4.3.1") return "full";
  return code < 500 ? "later" : "refused";
}
