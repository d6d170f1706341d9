import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import { base64Content, type ConvertedMessage, mailboxTable } from "../http/conversion.ts";
import type { Addressing } from "../http/addressing.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, type JsonValue } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { SendgridConfig } from "./config.ts";

const MAX_CATEGORIES = 10;

/**
 * The request that sends a message to its recipients: each addressing is a personalization.
 *
 * Source: twilio/sendgrid-oai `spec/json/tsg_mail_v3.json`.
 */
export function sendgridRequest(
  message: ConvertedMessage,
  { config, base }: { config: SendgridConfig; base: URL },
): HttpRequest {
  return {
    url: below(base, "/v3/mail/send"),
    headers: { "authorization": `Bearer ${config.api_key}`, "content-type": "application/json" },
    body: jsonBody({
      personalizations: message.addressings.map(personalization),
      from: mailboxTable(message.author),
      reply_to_list: message.replyTo.length === 0 ? undefined : message.replyTo.map(mailboxTable),
      subject: message.subject,
      content: contentOf(message),
      attachments: message.attachments.length === 0 ? undefined : message.attachments.map(
        (attachment) => ({
          content: base64Content(attachment),
          type: attachment.type,
          filename: attachment.filename,
          disposition: attachment.contentId === null ? "attachment" : "inline",
          content_id: attachment.contentId ?? undefined,
        }),
      ),
      headers: { ...message.headers, "Message-ID": message.messageId },
      custom_args: { [QUEUE_ID_TAG]: message.queueId },
      categories: message.tags.length === 0 ? undefined : message.tags.slice(0, MAX_CATEGORIES),
      tracking_settings: {
        click_tracking: { enable: false, enable_text: false },
        open_tracking: { enable: false },
      },
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

/** Plain text has to come first. */
function contentOf({ text, html }: ConvertedMessage): JsonValue[] {
  const content: JsonValue[] = [];
  if (text !== null) content.push({ type: "text/plain", value: text });
  if (html !== null) content.push({ type: "text/html", value: html });
  return content;
}
