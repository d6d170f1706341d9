import type { DeliveryJob } from "../../delivery/transport.ts";
import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import { joinedBody, rawBody, type RequestBody, textBody } from "../http/body.ts";
import { apiAddress } from "../http/carry.ts";
import { basicAuthorization } from "../http/digest.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { below } from "../http/options.ts";
import type { MailgunConfig } from "./config.ts";

/**
 * The request that sends a message as it is to the recipients of the job and to nobody else.
 * Tracking is off, because it rewrites links and so breaks signatures.
 *
 * Source: documentation.mailgun.com, POST /v3/{domain}/messages.mime.
 */
export function mailgunRequest(
  { message, recipients, body }: DeliveryJob,
  { config, base }: { config: MailgunConfig; base: URL },
): HttpRequest {
  const boundary = `posthouse-${message.id}-form`;
  const fields: [string, string][] = recipients.map((recipient) => ["to", apiAddress(recipient)]);
  fields.push(["o:tracking", "no"], [`v:${QUEUE_ID_TAG}`, message.id]);
  for (const tag of config.tags ?? []) fields.push(["o:tag", tag]);
  return {
    url: below(base, `/v3/${encodeURIComponent(config.domain)}/messages.mime`),
    headers: {
      authorization: basicAuthorization("api", config.api_key),
      "content-type": `multipart/form-data; boundary=${boundary}`,
    },
    body: formBody(boundary, { fields, message: rawBody(body) }),
  };
}

/** multipart/form-data (RFC 7578) with the message as a file, streamed. */
function formBody(
  boundary: string,
  { fields, message }: { fields: readonly [string, string][]; message: RequestBody },
): RequestBody {
  const head = fields.map(([name, value]) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  ).join("");
  const fileHead = `--${boundary}\r\n` +
    `Content-Disposition: form-data; name="message"; filename="message.eml"\r\n` +
    `Content-Type: message/rfc822\r\n\r\n`;
  return joinedBody([textBody(head + fileHead), message, textBody(`\r\n--${boundary}--\r\n`)]);
}
