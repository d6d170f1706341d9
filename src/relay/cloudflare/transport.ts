import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { authorOf } from "../http/addresses.ts";
import type { RequestBody } from "../http/body.ts";
import { headOf, rawTextOf } from "../http/carry.ts";
import type { Foresee, Foreseen } from "../http/foresee.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { listAt, messageText, tableOf, textAt, textsAt, valueAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, type Problem, replyOf } from "../http/outcome.ts";
import {
  forEachRecipient,
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { CloudflareConfig } from "./config.ts";
import { cloudflareRequest } from "./convert.ts";

const API = "Cloudflare";

/**
 * developers.cloudflare.com/email-service/platform/limits: 25 MiB to verified addresses and for
 * some accounts, 5 MiB otherwise, which the answer tells.
 */
const LIMITS = { api: API, maxBytes: 25 * 1024 * 1024 };

/** Source: developers.cloudflare.com/email-service/api/send-emails/rest-api, "Error codes". */
export const ANSWERS: AnswerTable = {
  statuses: {},
  codes: {
    "10000": "broken", // not found
    "10001": "rejected", // invalid request
    "10002": { verdict: "limited", enhanced: "4.3.0" }, // internal error
    "10003": "broken", // not implemented
    "10004": "limited", // throttled, the daily quota included
    "10100": { verdict: "limited", enhanced: "4.3.0" }, // authentication not available
    "10101": "broken", // unauthorized
    "10102": "broken", // forbidden
    "10103": "broken", // wrong kind of token
    "10105": "broken", // account not entitled
    "10200": { verdict: "unsuitable", enhanced: "5.3.4" }, // too big
    "10201": "broken", // no content length
    "10202": "rejected", // invalid content
    "10203": "broken", // sending disabled
  },
};

/** Where the answer names each recipient. */
const RESULTS = [
  ["delivered", "delivered"],
  ["queued", "delivered"],
  ["permanent_bounces", { verdict: "rejected", enhanced: "5.1.0" }],
  ["suppressed_recipients", { verdict: "rejected", enhanced: "5.7.1" }],
] as const;

/** A way out through Cloudflare Email Service; the message goes out octet for octet. */
export function createCloudflare(config: CloudflareConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Cloudflare(config), options);
}

/** How it carries the message of a job. */
export const foresee: Foresee = carried;

async function carried(
  job: DeliveryJob,
): Promise<
  | Extract<Foreseen, { kind: "unsuitable" }>
  | Extract<Foreseen, { kind: "carried" }> & { text: RequestBody; sender: string }
> {
  const raw = await rawTextOf(job, LIMITS);
  if (raw.kind === "unsuitable") return raw;
  const { reversePath } = job.message;
  const sender = reversePath === "" ? authorOf(await headOf(job)) : reversePath;
  if (sender === null) {
    return { kind: "unsuitable", reply: replyOf("5.6.0", `${API} needs a sender`) };
  }
  return { kind: "carried", text: raw.text, sender, losses: raw.losses };
}

class Cloudflare implements Provider {
  readonly kind = "cloudflare";
  readonly maxRecipients = 50;
  readonly baseUrl: URL;
  readonly #config: CloudflareConfig;

  constructor(config: CloudflareConfig) {
    this.baseUrl = apiUrl(config.base_url, "https://api.cloudflare.com/client/v4");
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const raw = await carried(job);
    if (raw.kind === "unsuitable") return raw;
    const { text, sender, losses } = raw;
    const options = { text, sender, config: this.#config, base: this.baseUrl };
    const request = cloudflareRequest(job, options);
    return { kind: "shipments", shipments: [{ request, recipients: job.recipients }], losses };
  }

  judge(
    answer: Answer,
    { shipment, nowMs }: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    const json = jsonOf(answer);
    const result = tableOf(valueAt(json, "result"));
    if (answer.status === 200 && valueAt(json, "success") !== false) {
      if (result === null) {
        return outcomeOf("uncertain", { text: `${API} answered 200 without a result` });
      }
      const entries = RESULTS.flatMap(([key, row]) =>
        textsAt(result, key).map((address) => ({
          address,
          outcome: outcomeOf(row, { text: `${API}: ${key.replace("_", " ")}` }),
        }))
      );
      return forEachRecipient(shipment, entries);
    }
    // Of `success: false` only the codes count; without a known one it is for now.
    const table = answer.status === 200
      ? { ...ANSWERS, statuses: { 200: "temporary" as const } }
      : ANSWERS;
    return judge({ api: API, answer, table, problem: problemOf(json), nowMs });
  }
}

function problemOf(json: unknown): Problem {
  const errors = listAt(json, "errors");
  const codes = errors.map((error) => textAt(error, "code")).filter((code) => code !== null);
  return { codes, text: messageText(errors[0]) };
}
