import type { DeliveryJob } from "../../delivery/transport.ts";
import { rawBody } from "../http/body.ts";
import { envelopeFields } from "../http/envelope_fields.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { below } from "../http/options.ts";
import type { PosthouseConfig } from "./config.ts";

/** The request that hands a message as it is to another Posthouse. */
export function posthouseRequest(
  job: DeliveryJob,
  { config, base }: { config: PosthouseConfig; base: URL },
): HttpRequest {
  const [traceparent] = job.message.headers?.["traceparent"] ?? [];
  return {
    url: below(base, "/api/v1/messages"),
    headers: {
      ...envelopeFields(job),
      ...(traceparent === undefined ? {} : { traceparent }),
      "authorization": `Bearer ${config.api_key}`,
      "content-type": "message/rfc822",
    },
    body: rawBody(job.body),
  };
}
