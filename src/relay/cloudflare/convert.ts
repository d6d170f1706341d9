import type { DeliveryJob } from "../../delivery/transport.ts";
import type { RequestBody } from "../http/body.ts";
import { apiAddress } from "../http/carry.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, JsonStream } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { CloudflareConfig } from "./config.ts";

/**
 * The request that sends a message as it is: `from` and `recipients` are the envelope.
 *
 * @param text the message as the inside of a JSON string.
 * @param sender the reverse-path, or the author's mailbox of a notification, which has none.
 *
 * Source: developers.cloudflare.com/api/resources/email_sending/methods/send_raw.
 */
export function cloudflareRequest(
  { recipients }: DeliveryJob,
  { text, sender, config, base }: {
    text: RequestBody;
    sender: string;
    config: CloudflareConfig;
    base: URL;
  },
): HttpRequest {
  return {
    url: below(base, `/accounts/${encodeURIComponent(config.account_id)}/email/sending/send_raw`),
    headers: {
      authorization: `Bearer ${config.api_token}`,
      "content-type": "application/json",
    },
    body: jsonBody({
      from: sender,
      recipients: recipients.map(apiAddress),
      mime_message: new JsonStream(text),
    }),
  };
}
