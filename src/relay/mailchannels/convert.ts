import type { Addressing } from "../http/addressing.ts";
import { base64Content, type ConvertedMessage, mailboxTable } from "../http/conversion.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, type JsonValue } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { MailchannelsConfig } from "./config.ts";

/** At most 48 characters and no spaces. */
const CAMPAIGN = /^\S{1,48}$/;

/**
 * The request that sends a message: each addressing is a personalization.
 *
 * @param reversePath the envelope sender; empty leaves it to MailChannels.
 *
 * Source: docs.mailchannels.net/email-api.yaml, MailSendBody.
 */
export function mailchannelsRequest(
  message: ConvertedMessage,
  { reversePath, config, base }: { reversePath: string; config: MailchannelsConfig; base: URL },
): HttpRequest {
  const { attachments, headers, replyTo, tags } = message;
  return {
    url: below(base, "/tx/v1/send"),
    headers: { "content-type": "application/json", "x-api-key": config.api_key },
    body: jsonBody({
      personalizations: message.addressings.map(personalization),
      from: mailboxTable(message.author),
      envelope_from: reversePath === "" ? undefined : { email: reversePath },
      reply_to: replyTo[0] === undefined ? undefined : mailboxTable(replyTo[0]),
      subject: message.subject,
      content: contentOf(message),
      attachments: attachments.length === 0 ? undefined : attachments.map((attachment) => ({
        content: base64Content(attachment),
        filename: attachment.filename,
        type: attachment.type,
      })),
      headers: Object.keys(headers).length === 0 ? undefined : headers,
      campaign_id: tags.find((tag) => CAMPAIGN.test(tag)),
    }),
  };
}

function personalization({ to, cc, bcc }: Addressing): JsonValue {
  return {
    to: to.map(mailboxTable),
    cc: cc.length === 0 ? undefined : cc.map(mailboxTable),
    bcc: bcc.length === 0 ? undefined : bcc.map(mailboxTable),
  };
}

function contentOf({ text, html }: ConvertedMessage): JsonValue[] {
  const content: JsonValue[] = [];
  if (text !== null) content.push({ type: "text/plain", value: text });
  if (html !== null) content.push({ type: "text/html", value: html });
  return content;
}
