import type { DeliveryJob } from "../../delivery/transport.ts";
import type { RequestBody } from "../http/body.ts";
import { apiAddress } from "../http/carry.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, JsonStream } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { MandrillConfig } from "./config.ts";

/**
 * The request that sends a message as it is. `to` decides who gets it; without `from_email` the
 * From field stays what it is. It is not asynchronous, so that the answer tells of each recipient.
 *
 * @param text the message as the inside of a JSON string.
 *
 * Source: mailchimp.com/developer/transactional/api/messages, send-raw.
 */
export function mandrillRequest(
  { recipients }: DeliveryJob,
  { text, config, base }: { text: RequestBody; config: MandrillConfig; base: URL },
): HttpRequest {
  return {
    url: below(base, "/api/1.0/messages/send-raw.json"),
    headers: { "content-type": "application/json" },
    body: jsonBody({
      key: config.api_key,
      to: recipients.map(apiAddress),
      async: false,
      ip_pool: config.ip_pool,
      return_path_domain: config.return_path_domain,
      raw_message: new JsonStream(text),
    }),
  };
}
