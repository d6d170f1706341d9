import type { NamedAddress } from "../http/addresses.ts";
import type { Addressing } from "../http/addressing.ts";
import { base64Content, type ConvertedMessage, mailboxTable } from "../http/conversion.ts";
import { basicAuthorization } from "../http/digest.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, type JsonValue } from "../http/json.ts";
import type { Attachment } from "../http/attachments.ts";
import { below } from "../http/options.ts";
import type { MailjetConfig } from "./config.ts";

/**
 * The request that sends a message: what all have in common is in `Globals`, and each addressing
 * is one of `Messages`. The queue id is kept as CustomID, for Mailjet's events.
 *
 * Source: mailjet/api-documentation `guides/_send-api.md`, version 3.1.
 */
export function mailjetRequest(
  message: ConvertedMessage,
  { id, config, base }: { id: string; config: MailjetConfig; base: URL },
): HttpRequest {
  const { attachments, headers, replyTo } = message;
  return {
    url: below(base, "/v3.1/send"),
    headers: {
      "authorization": basicAuthorization(config.api_key, config.secret_key),
      "content-type": "application/json",
    },
    body: jsonBody({
      Globals: {
        From: mailbox(message.author),
        ReplyTo: replyTo[0] === undefined ? undefined : mailbox(replyTo[0]),
        Subject: message.subject,
        TextPart: message.text ?? undefined,
        HTMLPart: message.html ?? undefined,
        Attachments: files(attachments.filter(({ contentId }) => contentId === null)),
        InlinedAttachments: files(attachments.filter(({ contentId }) => contentId !== null)),
        Headers: Object.keys(headers).length === 0 ? undefined : headers,
        CustomID: id,
        CustomCampaign: message.tags[0],
        TrackOpens: "disabled",
        TrackClicks: "disabled",
      },
      Messages: message.addressings.map(recipients),
    }),
  };
}

function recipients({ to, cc, bcc }: Addressing): JsonValue {
  return {
    To: to.map(mailbox),
    Cc: cc.length === 0 ? undefined : cc.map(mailbox),
    Bcc: bcc.length === 0 ? undefined : bcc.map(mailbox),
  };
}

function files(attachments: readonly Attachment[]): JsonValue[] | undefined {
  if (attachments.length === 0) return undefined;
  return attachments.map((attachment) => ({
    ContentType: attachment.type,
    Filename: attachment.filename,
    ContentID: attachment.contentId ?? undefined,
    Base64Content: base64Content(attachment),
  }));
}

function mailbox(address: NamedAddress): JsonValue {
  const { email, name } = mailboxTable(address);
  return { Email: email, Name: name };
}
