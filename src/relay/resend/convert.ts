import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import type { Addressing } from "../http/addressing.ts";
import { base64Content, type ConvertedMessage, mailboxText } from "../http/conversion.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { ResendConfig } from "./config.ts";

/**
 * The request that sends a message to one addressing. `key` makes Resend send it once, however
 * often the request is repeated within a day.
 *
 * Source: resend/resend-openapi `resend.yaml`, SendEmailRequest.
 */
export function resendRequest(
  message: ConvertedMessage,
  { addressing, key, config, base }: {
    addressing: Addressing;
    key: string;
    config: ResendConfig;
    base: URL;
  },
): HttpRequest {
  const { to, cc, bcc } = addressing;
  return {
    url: below(base, "/emails"),
    headers: {
      "authorization": `Bearer ${config.api_key}`,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: jsonBody({
      from: mailboxText(message.author),
      to: to.map(mailboxText),
      cc: cc.length === 0 ? undefined : cc.map(mailboxText),
      bcc: bcc.length === 0 ? undefined : bcc.map(mailboxText),
      reply_to: message.replyTo.length === 0 ? undefined : message.replyTo.map(mailboxText),
      subject: message.subject,
      text: message.text ?? undefined,
      html: message.html ?? undefined,
      headers: message.headers,
      attachments: message.attachments.map((attachment) => ({
        filename: attachment.filename,
        content: base64Content(attachment),
        content_type: attachment.type,
        content_id: attachment.contentId ?? undefined,
      })),
      tags: [
        { name: QUEUE_ID_TAG, value: message.queueId },
        ...message.tags.map((tag, index) => ({ name: `tag${index + 1}`, value: tagValue(tag) })),
      ],
    }),
  };
}

/** ASCII letters, digits, underscores and dashes, at most 256 of them. */
function tagValue(tag: string): string {
  return tag.replace(/[^\w-]/g, "_").slice(0, 256);
}
