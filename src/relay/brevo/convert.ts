import type { Addressing } from "../http/addressing.ts";
import { base64Content, type ConvertedMessage, mailboxTable } from "../http/conversion.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { BrevoConfig } from "./config.ts";

/**
 * The request that sends a message to one addressing. Brevo takes one mailbox for replies.
 *
 * Source: getbrevo/brevo-node `model/sendSmtpEmail.ts`.
 */
export function brevoRequest(
  message: ConvertedMessage,
  { addressing, config, base }: { addressing: Addressing; config: BrevoConfig; base: URL },
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
      headers: Object.keys(headers).length === 0 ? undefined : headers,
      tags: tags.length === 0 ? undefined : tags,
    }),
  };
}
