import { isAsciiText } from "../../mail/safe_text.ts";
import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { CONVERSION_STATUSES, type ConversionLimits, convertJob } from "../http/conversion.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { listAt, messageText, textAt, textsAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf } from "../http/outcome.ts";
import {
  HttpTransport,
  type JobRecipient,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { MailchannelsConfig } from "./config.ts";
import { mailchannelsRequest } from "./convert.ts";

const API = "MailChannels";

/** 30 MB with attachments (docs.mailchannels.net/email-api.yaml, 413); no Content-ID. */
/** What becomes of a message there. */
export const LIMITS: ConversionLimits = {
  api: API,
  maxBytes: 30_000_000,
  refusedFields: /^$/,
  keepsMessageId: false,
  showsInline: false,
  keepsTypeParameters: false,
  maxReplyTo: 1,
  maxTags: 1,
};

/** 200 is a rehearsal, which is never asked for. */
export const ANSWERS: AnswerTable = { statuses: CONVERSION_STATUSES, codes: {} };

/** A way out through MailChannels' Email API, which takes no raw message. */
export function createMailchannels(
  config: MailchannelsConfig,
  options: ProviderOptions,
): Transport {
  return new HttpTransport(new Mailchannels(config), options);
}

class Mailchannels implements Provider {
  readonly kind = "mailchannels";
  readonly maxRecipients = 1000;
  readonly baseUrl: URL;
  readonly #config: MailchannelsConfig;

  constructor(config: MailchannelsConfig) {
    this.baseUrl = apiUrl(config.base_url, "https://api.mailchannels.net");
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const message = await convertJob(job, LIMITS);
    if (message.kind === "unsuitable") return message;
    // A sender that is not ASCII is left to MailChannels, which takes ASCII only.
    const reversePath = isAsciiText(job.message.reversePath) ? job.message.reversePath : "";
    const options = { reversePath, config: this.#config, base: this.baseUrl };
    const request = mailchannelsRequest(message, options);
    const { addressings, losses } = message;
    const shipments = [{ request, recipients: job.recipients, addressings }];
    return { kind: "shipments", shipments, losses };
  }

  judge(
    answer: Answer,
    { shipment, nowMs }: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    const json = jsonOf(answer);
    if (answer.status === 202) return accepted(shipment, json);
    const text = textsAt(json, "errors").join(" ") || messageText(json);
    return judge({ api: API, answer, table: ANSWERS, problem: { codes: [], text }, nowMs });
  }
}

/** Each personalization may have a result; `failed` says no more than that it may work later. */
function accepted(
  { recipients, addressings = [] }: Shipment,
  json: unknown,
): Outcome | readonly Outcome[] {
  const id = textAt(json, "request_id") ?? "";
  const taken = outcomeOf("delivered", { text: `${API} accepted it as ${id}` });
  const failed = new Map<JobRecipient, Outcome>();
  for (const result of listAt(json, "results")) {
    if (textAt(result, "status") !== "failed") continue;
    const text = `${API}: ${textAt(result, "reason") ?? "failed"}`;
    const addressing = addressings[Number(textAt(result, "index"))];
    for (const recipient of addressing?.recipients ?? []) {
      failed.set(recipient, outcomeOf("temporary", { text }));
    }
  }
  return recipients.map((recipient) => failed.get(recipient) ?? taken);
}
