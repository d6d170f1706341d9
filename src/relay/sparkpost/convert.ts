import type { DeliveryJob } from "../../delivery/transport.ts";
import type { RequestBody } from "../http/body.ts";
import { apiAddress } from "../http/carry.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, JsonStream } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { SparkpostConfig } from "./config.ts";

/**
 * The request that sends a message as it is to the recipients of the job and to nobody else.
 * Tracking and substitution are off, because they change the octets (`{{` in a message stays).
 *
 * `num_rcpt_errors` makes the answer name recipients that were refused, of whom there may be all.
 *
 * @param text the message as the inside of a JSON string.
 *
 * Source: developers.sparkpost.com/api/transmissions, "Send RFC 822 content" and the query
 * parameters of "Create a transmission".
 */
export function sparkpostRequest(
  { recipients }: DeliveryJob,
  { text, config, base }: { text: RequestBody; config: SparkpostConfig; base: URL },
): HttpRequest {
  return {
    url: `${below(base, "/api/v1/transmissions")}?num_rcpt_errors=${recipients.length}`,
    headers: { authorization: config.api_key, "content-type": "application/json" },
    body: jsonBody({
      options: {
        open_tracking: false,
        click_tracking: false,
        perform_substitutions: false,
        transactional: true,
      },
      campaign_id: config.campaign,
      return_path: config.return_path,
      recipients: recipients.map((recipient) => ({ address: { email: apiAddress(recipient) } })),
      content: { email_rfc822: new JsonStream(text) },
    }),
  };
}
