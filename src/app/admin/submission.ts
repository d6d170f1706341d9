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
    async submit({ by: user, identity, senders = null, senderCheck, ...request }) {
      const { clientAddress, ...submission } = request;
      const by = {
        ...{ user, senders, clientAddress },
        ...(identity === undefined ? {} : { identity }),
        ...(senderCheck === undefined ? {} : { senderCheck }),
      };
      return resultOf(await submitter.submit({ ...submission, by }));
    },
  };
}

function resultOf(result: SubmissionResult): SubmitResult {
  switch (result.kind) {
    case "queued":
      return result;
    case "refused":
      return refusalOf(result);
    case "failed":
      return result.failure === "full"
        ? { kind: "refused", why: "full", reason: "The queue has no room for the message." }
        : { kind: "refused", why: "unavailable", reason: "The queue does not respond." };
    case "conflict":
      return result.reason === "under_way"
        ? { kind: "refused", why: "under_way", reason: "A request with this key is in progress." }
        : { kind: "refused", why: "key_taken", reason: "The key belongs to another message." };
  }
}

function refusalOf(
  { reply, recipients = [] }: Extract<SubmissionResult, { kind: "refused" }>,
): SubmitResult {
  const [first] = recipients;
  const text = formatReply(reply);
  const reason = first === undefined ? text : `${text} (${first.mailbox})`;
  const why = whyOf(reply);
  if (first === undefined) return { kind: "refused", why, reason };
  const named = recipients.map(({ mailbox: address, reply }) => ({
    address,
    reply: formatReply(reply),
  }));
  return { kind: "refused", why, reason, recipients: named };
}

/** What a reply comes to where a status has to say it (RFC 3463 3.4, 3.6). */
function whyOf({ code, enhanced }: Reply): SubmitRefusal {
  if (enhanced === "5.3.4") return "too_large";
  if (enhanced === "4.5.3") return "too_many_recipients";
  if (enhanced === "4.3.1") return "full";
  return code < 500 ? "later" : "refused";
}
