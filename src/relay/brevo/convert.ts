import type { Addressing } from "../http/addressing.ts";
import { base64Content, type ConvertedMessage, mailboxTable } from "../http/conversion.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { BrevoConfig } from "./config.ts";

/**
 * The request that sends a message to one addressing. Brevo takes one mailbox for replies. Of
 * requests with the same `key`, a UUID among the headers of the message, it takes one in half an
 * hour.
 *
 * Sources: getbrevo/brevo-node `model/sendSmtpEmail.ts`;
 * developers.brevo.com/docs/heterogenous-versions-batch-emails, "Idempotency".
 */
export function brevoRequest(
  message: ConvertedMessage,
  { addressing, key, config, base }: {
    addressing: Addressing;
    key: string;
    config: BrevoConfig;
    base: URL;
  },
): HttpRequest {
  const { to, cc, bcc } = addressing;
  const { attachments, headers, replyTo, tags } = message;
  return {
    url: below(base, "/v3/smtp/email"),
    headers: {
      "accept": "application/json",
      "api-key": config.api_key,
      "content-type": "application/json",
    },
    body: jsonBody({
      sender: mailboxTable(message.author),
      to: to.map(mailboxTable),
      cc: cc.length === 0 ? undefined : cc.map(mailboxTable),
      bcc: bcc.length === 0 ? undefined : bcc.map(mailboxTable),
      replyTo: replyTo[0] === undefined ? undefined : mailboxTable(replyTo[0]),
      subject: message.subject,
      textContent: message.text ?? undefined,
      htmlContent: message.html ?? undefined,
      attachment: attachments.length === 0 ? undefined : attachments.map((attachment) => ({
        name: attachment.filename,
        content: base64Content(attachment),
      })),
      headers: { ...headers, idempotencyKey: key },
      tags: tags.length === 0 ? undefined : tags,
    }),
  };
}
