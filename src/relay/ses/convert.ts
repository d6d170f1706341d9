import type { DeliveryJob } from "../../delivery/transport.ts";
import { QUEUE_ID_TAG } from "../../mail/queue_id_tag.ts";
import { base64Body, rawBody } from "../http/body.ts";
import { apiAddress } from "../http/carry.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, JsonStream } from "../http/json.ts";
import { below } from "../http/options.ts";
import type { SesConfig } from "./config.ts";

/**
 * The request, not signed yet, that sends a message as it is to the recipients of the job.
 * Destination decides who gets it and leaves the header fields alone; FromEmailAddress and
 * ReplyToAddresses would replace theirs, so they are not given.
 *
 * Source: botocore `data/sesv2/2019-09-27/service-2.json`, operation SendEmail.
 */
export function sesRequest(
  { message, recipients, body }: DeliveryJob,
  { config, base }: { config: SesConfig; base: URL },
): HttpRequest {
  return {
    url: below(base, "/v2/email/outbound-emails"),
    headers: { "content-type": "application/json" },
    body: jsonBody({
      Destination: { ToAddresses: recipients.map(apiAddress) },
      Content: { Raw: { Data: new JsonStream(base64Body(rawBody(body))) } },
      ConfigurationSetName: config.configuration_set,
      FeedbackForwardingEmailAddress: config.feedback_address,
      EmailTags: [{ Name: QUEUE_ID_TAG, Value: message.id }],
    }),
  };
}
