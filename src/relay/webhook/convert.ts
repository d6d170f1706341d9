import type { DeliveryJob } from "../../delivery/transport.ts";
import { base64Body, rawBody } from "../http/body.ts";
import { apiAddress } from "../http/carry.ts";
import { envelopeFields } from "../http/envelope_fields.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { jsonBody, JsonStream } from "../http/json.ts";
import type { WebhookConfig } from "./config.ts";
import type { ParsedFields } from "./parsed.ts";

/** The request, not signed yet, that posts a message with its envelope; `parsed` for that format. */
export function webhookRequest(
  job: DeliveryJob,
  { config, parsed }: { config: WebhookConfig; parsed: ParsedFields | null },
): HttpRequest {
  const isRaw = config.format === "raw";
  const authorization = config.bearer_token === undefined
    ? {}
    : { authorization: `Bearer ${config.bearer_token}` };
  return {
    url: config.url,
    headers: {
      ...envelopeFields(job),
      ...authorization,
      "content-type": isRaw ? "message/rfc822" : "application/json",
    },
    body: isRaw ? rawBody(job.body) : jsonBody({
      id: job.message.id,
      mail_from: job.message.reversePath,
      rcpt_to: job.recipients.map(apiAddress),
      received_at: new Date(job.message.receivedAtMs).toISOString(),
      ...parsed?.fields ?? { message: new JsonStream(base64Body(rawBody(job.body))) },
    }),
  };
}

/**
 * What a signature is made over: when, the envelope as its fields say it, and the body's SHA-256
 * in lower-case hexadecimal, each on a line of its own.
 */
export function textToSign(
  { headers }: HttpRequest,
  { timestamp, bodyHash }: { timestamp: number; bodyHash: string },
): string {
  return [
    timestamp,
    headers["x-posthouse-id"],
    headers["x-posthouse-mail-from"],
    headers["x-posthouse-rcpt-to"],
    bodyHash,
  ].join("\n");
}
