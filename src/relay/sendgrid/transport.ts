import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import type { Addressing } from "../http/addressing.ts";
import {
  blame,
  CONVERSION_STATUSES,
  type ConversionLimits,
  convertJob,
} from "../http/conversion.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { listAt, messageText, textAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, takenAs } from "../http/outcome.ts";
import {
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { SendgridConfig } from "./config.ts";
import { sendgridRequest } from "./convert.ts";

const API = "SendGrid";

/** docs.sendgrid.com/api-reference/mail-send/limitations, and the reserved headers beside it. */
/** What becomes of a message there. */
export const LIMITS: ConversionLimits = {
  api: API,
  maxBytes: 30_000_000,
  refusedFields: /^(?:x-sg-id|x-sg-eid|x-smtpapi)$/,
  keepsMessageId: true,
  showsInline: true,
  keepsTypeParameters: false,
  maxReplyTo: Infinity,
  maxTags: 10,
};

/**
 * SendGrid's errors have no codes but name the key they concern. A sender that the account has
 * not verified is refused with 403 and the key `from`; any other 403 concerns the account.
 */
export const ANSWERS: AnswerTable = {
  statuses: { ...CONVERSION_STATUSES, 202: "delivered" },
  codes: {
    "from": { verdict: "unsuitable", enhanced: "5.7.1" },
    "from.email": { verdict: "unsuitable", enhanced: "5.7.1" },
  },
};

/** A way out through SendGrid's API v3, which takes no raw message. */
export function createSendgrid(config: SendgridConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Sendgrid(config), options);
}

class Sendgrid implements Provider {
  readonly kind = "sendgrid";
  readonly maxRecipients = 1000;
  readonly baseUrl: URL;
  readonly #config: SendgridConfig;

  constructor(config: SendgridConfig) {
    const host = config.region === "eu" ? "api.eu.sendgrid.com" : "api.sendgrid.com";
    this.baseUrl = apiUrl(config.base_url, `https://${host}`);
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const message = await convertJob(job, LIMITS);
    if (message.kind === "unsuitable") return message;
    const request = sendgridRequest(message, { config: this.#config, base: this.baseUrl });
    const { addressings, losses } = message;
    const shipments = [{ request, recipients: job.recipients, addressings }];
    return { kind: "shipments", shipments, losses };
  }

  judge(
    answer: Answer,
    { shipment, nowMs }: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    if (answer.status === 202) {
      const id = answer.headers.get("x-message-id") ?? "";
      return takenAs(id, { api: API });
    }
    const errors = listAt(jsonOf(answer), "errors");
    const text = messageText(errors[0]);
    const fields = errors.map((error) => textAt(error, "field")).filter((field) => field !== null);
    const addresses = fields.map((field) => addressAt(field, shipment.addressings ?? []))
      .filter((address) => address !== null);
    if (answer.status === 400 && addresses.length > 0) {
      return blame(shipment.recipients, { addresses, text });
    }
    return judge({ api: API, answer, table: ANSWERS, problem: { codes: fields, text }, nowMs });
  }
}

/** The address that `personalizations.0.to.1.email` is about; null when it is about none. */
function addressAt(field: string, addressings: readonly Addressing[]): string | null {
  const match = /^personalizations\.(\d+)\.(to|cc|bcc)\.(\d+)/.exec(field);
  if (match === null) return null;
  const [, personalization, key, index] = match;
  const addressing = addressings[Number(personalization)];
  const list = key === "to" ? addressing?.to : key === "cc" ? addressing?.cc : addressing?.bcc;
  return list?.[Number(index)]?.address ?? null;
}
