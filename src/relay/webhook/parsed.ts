import { decodeEncodedWords } from "../../mail/encoded_word.ts";
import type { DeliveryJob, Loss } from "../../delivery/transport.ts";
import type { NamedAddress } from "../http/addresses.ts";
import { base64Content, typeWithParameters } from "../http/conversion.ts";
import type { JsonValue } from "../http/json.ts";
import { lostSignatures } from "../http/loss.ts";
import { messageSource } from "../http/message_source.ts";
import { parseMessage } from "../http/mime.ts";

/** A message taken apart for a program that reads no MIME. */
export interface ParsedFields {
  /** Keys of the JSON beside the envelope; attachments are read while they are sent. */
  readonly fields: { readonly [key: string]: JsonValue };
  readonly losses: readonly Loss[];
}

/**
 * The message of a job as keys of JSON: everything that it says, decoded, and its attachments in
 * base64. Null when it is nested, divided or headed beyond reason.
 */
export async function parsedFields({ body }: DeliveryJob): Promise<ParsedFields | null> {
  const parsed = await parseMessage(messageSource(body));
  if (parsed === null) return null;
  const { subject, messageId, text, html, contentLosses, fields: written } = parsed;
  const losses = [...lostSignatures(parsed), ...contentLosses];
  const fields = {
    headers: written.map(({ name, value }) => ({ name, value: decodeEncodedWords(value) })),
    from: parsed.authors.map(mailbox),
    sender: parsed.sender === null ? null : mailbox(parsed.sender),
    reply_to: parsed.replyTo.map(mailbox),
    to: parsed.to.map(mailbox),
    cc: parsed.cc.map(mailbox),
    ...{ subject, message_id: messageId, text, html },
    attachments: parsed.attachments.map((attachment) => ({
      filename: attachment.filename,
      content_type: typeWithParameters(attachment),
      content_id: attachment.contentId,
      size: attachment.content.lengthBytes,
      content: base64Content(attachment),
    })),
    losses: losses.map(({ kind, what }) => ({ kind, what })),
  };
  return { fields, losses };
}

function mailbox({ name, address }: NamedAddress): JsonValue {
  return { name, address };
}
