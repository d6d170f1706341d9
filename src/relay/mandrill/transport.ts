import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { rawTextOf } from "../http/carry.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { messageText, tableOf, textAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, type Row, type Verdict } from "../http/outcome.ts";
import {
  forEachRecipient,
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { MandrillConfig } from "./config.ts";
import { mandrillRequest } from "./convert.ts";

const API = "Mandrill";
/** What it takes. */
export const LIMITS = { api: API, maxBytes: 25 * 1024 * 1024 };

/**
 * Sources: the error names of the API's reference and of Mailchimp's own clients. Mandrill says
 * 500 of nearly every error, a wrong key included, so that the name and not the status
 * decides, but for mail that would bounce.
 */
export const ANSWERS: AnswerTable = {
  statuses: {},
  codes: {
    Invalid_Key: "broken",
    PaymentRequired: "broken",
    PoorReputation: "broken",
    Unknown_Subaccount: "broken",
    Unknown_Pool: "broken",
    GeneralError: { verdict: "limited", enhanced: "4.3.0" },
    ServiceUnavailable: { verdict: "limited", enhanced: "4.3.0" },
    ValidationError: "rejected",
    Invalid_Tag_Name: "rejected",
  },
};

/** The result of one recipient. */
const STATUSES: Readonly<Record<string, Verdict | Row>> = {
  sent: "delivered",
  queued: "delivered",
  scheduled: "delivered",
  invalid: { verdict: "rejected", enhanced: "5.1.3" },
};

/** Why one recipient was `rejected`; a reason that is not here is temporary. */
const REJECT_REASONS: Readonly<Record<string, Verdict | Row>> = {
  "hard-bounce": { verdict: "rejected", enhanced: "5.1.1" },
  "soft-bounce": "temporary", // the address leaves the list by itself
  "spam": { verdict: "rejected", enhanced: "5.7.1" },
  "unsub": { verdict: "rejected", enhanced: "5.7.1" },
  "custom": { verdict: "rejected", enhanced: "5.7.1" },
  "rule": { verdict: "rejected", enhanced: "5.7.1" },
  "invalid": { verdict: "rejected", enhanced: "5.1.3" },
  "invalid-sender": { verdict: "unsuitable", enhanced: "5.7.1" },
  "unsigned": { verdict: "unsuitable", enhanced: "5.7.1" },
  "test-mode-limit": "broken",
};

/** A way out through Mailchimp Transactional; the message goes out octet for octet. */
export function createMandrill(config: MandrillConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Mandrill(config), options);
}

class Mandrill implements Provider {
  readonly kind = "mandrill";
  readonly maxRecipients = 1000;
  readonly baseUrl: URL;
  readonly #config: MandrillConfig;

  constructor(config: MandrillConfig) {
    this.baseUrl = apiUrl(config.base_url, "https://mandrillapp.com");
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const raw = await rawTextOf(job, LIMITS);
    if (raw.kind === "unsuitable") return raw;
    const options = { text: raw.text, config: this.#config, base: this.baseUrl };
    const request = mandrillRequest(job, options);
    return {
      kind: "shipments",
      shipments: [{ request, recipients: job.recipients }],
      losses: raw.losses,
    };
  }

  judge(
    answer: Answer,
    { shipment, nowMs }: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    const json = jsonOf(answer);
    if (answer.status === 200) {
      if (!Array.isArray(json)) {
        return outcomeOf("uncertain", { text: `${API} answered 200 without results` });
      }
      return forEachRecipient(shipment, json.map(resultOf).filter((result) => result !== null));
    }
    const name = textAt(json, "name");
    const problem = { codes: name === null ? [] : [name], text: messageText(json) };
    return judge({ api: API, answer, table: ANSWERS, problem, nowMs });
  }
}

function resultOf(entry: unknown): { address: string; outcome: Outcome } | null {
  const address = textAt(tableOf(entry), "email");
  if (address === null) return null;
  const status = textAt(entry, "status") ?? "unknown";
  const reason = textAt(entry, "reject_reason");
  const row = status === "rejected" ? REJECT_REASONS[reason ?? ""] : STATUSES[status];
  const id = textAt(entry, "_id");
  const text = [`${API}: ${status}`, reason, id].filter((part) => part !== null).join(" ");
  return { address, outcome: outcomeOf(row ?? "temporary", { text }) };
}
