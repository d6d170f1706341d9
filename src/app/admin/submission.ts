import { encodeText } from "../../base/bytes.ts";
import type { SubmissionPort, SubmitResult } from "../../admin/ports.ts";
import { parseMailbox } from "../../mail/address.ts";
import { bodyFacts } from "../../mail/body_facts.ts";
import type { Envelope, Origin, Recipient } from "../../mail/envelope.ts";
import { formatReceived } from "../../mail/received.ts";
import { isAsciiText } from "../../mail/safe_text.ts";
import type { RelayParts } from "./parts.ts";

const FAILURES = {
  full: "There is no room for it in the queue.",
  unavailable: "The queue does not answer.",
} as const;

/** Puts messages of operators into the queue, by the same way as those of clients. */
export function submissionPort(parts: RelayParts): SubmissionPort {
  return {
    async submit({ from, to, message, by, clientAddress }): Promise<SubmitResult> {
      const envelope = envelopeOf({ from, to });
      if (typeof envelope === "string") return { kind: "refused", reason: envelope };
      const limitBytes = parts.config().limits.messageSizeBytes;
      if (message.length > limitBytes) {
        return { kind: "refused", reason: `It is larger than ${limitBytes} octets.` };
      }
      const { hostname } = parts.config();
      const origin: Origin = {
        ...{ listener: "local", clientAddress, clientPort: 0 },
        ...{ helo: hostname, protocol: "HTTP", user: by },
      };
      const writer = parts.intake.begin({
        ...{ envelope, origin },
        head: (id) =>
          encodeText(formatReceived({ origin, by: hostname, id, atMs: parts.clock.now() })),
      });
      await writer.write(message);
      const result = await writer.commit(bodyFacts(message));
      if (result.kind === "failed") return { kind: "refused", reason: FAILURES[result.failure] };
      parts.events({
        ...{ type: "accepted", messageId: writer.id, listener: "local", clientAddress },
        ...{ reversePath: from, recipients: to.length, sizeBytes: message.length },
      });
      return { kind: "queued", id: writer.id };
    },
  };
}

/** The envelope, or what is wrong with it. */
function envelopeOf(
  { from, to }: { from: string; to: readonly string[] },
): Envelope | string {
  if (from !== "" && parseMailbox(from).kind === "error") return `${from} is no mail address.`;
  const recipients: Recipient[] = [];
  for (const text of to) {
    const parsed = parseMailbox(text);
    if (parsed.kind === "error") return `${text} is no mail address: ${parsed.reason}.`;
    recipients.push({ forwardPath: parsed.mailbox.text, domain: parsed.mailbox.domain });
  }
  const smtpUtf8 = ![from, ...to].every(isAsciiText);
  return { reversePath: from, body: "8BITMIME", smtpUtf8, recipients };
}
