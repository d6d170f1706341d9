import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import type { Addressing } from "../http/addressing.ts";
import {
  base64Content,
  type ConvertedMessage,
  mailboxText,
  typeWithParameters,
} from "../http/conversion.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, type JsonValue } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { PostmarkConfig } from "./config.ts";

/**
 * The request that sends a message to one addressing. `X-PM-KeepID` makes Postmark keep the
 * Message-ID.
 *
 * Source: postmarkapp.com/developer/api/email-api.
 */
export function postmarkRequest(
  message: ConvertedMessage,
  { addressing, config, base }: { addressing: Addressing; config: PostmarkConfig; base: URL },
): HttpRequest {
  const { to, cc, bcc } = addressing;
  return {
    url: below(base, "/email"),
    headers: {
      "accept": "application/json",
      "content-type": "application/json",
      "x-postmark-server-token": config.server_token,
    },
    body: jsonBody({
      From: mailboxText(message.author),
      To: to.map(mailboxText).join(", "),
      Cc: cc.length === 0 ? undefined : cc.map(mailboxText).join(", "),
      Bcc: bcc.length === 0 ? undefined : bcc.map(mailboxText).join(", "),
      ReplyTo: message.replyTo.length === 0
        ? undefined
        : message.replyTo.map(mailboxText).join(", "),
      Subject: message.subject,
      TextBody: message.text ?? undefined,
      HtmlBody: message.html ?? undefined,
      Tag: message.tags[0],
      Metadata: { [QUEUE_ID_TAG]: message.queueId },
      Headers: headersOf(message),
      Attachments: message.attachments.map((attachment) => ({
        Name: attachment.filename,
        Content: base64Content(attachment),
        ContentType: typeWithParameters(attachment),
        ContentID: attachment.contentId === null ? undefined : `cid:${attachment.contentId}`,
      })),
      TrackOpens: false,
      TrackLinks: "None",
      MessageStream: config.message_stream,
    }),
  };
}

function headersOf({ headers, messageId }: ConvertedMessage): JsonValue[] {
  const all = { ...headers, "Message-ID": messageId, "X-PM-KeepID": "true" };
  return Object.entries(all).map(([Name, Value]) => ({ Name, Value }));
}
