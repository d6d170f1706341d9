import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import {
  CONVERSION_STATUSES,
  type ConversionLimits,
  convertJob,
  shipmentsOf,
} from "../http/conversion.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { messageText, textAt } from "../http/fields.ts";
import { idempotencyUuid } from "../http/idempotency.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf } from "../http/outcome.ts";
import { HttpTransport, type Plan, type Provider, type ProviderOptions } from "../http/provider.ts";
import type { BrevoConfig } from "./config.ts";
import { brevoRequest } from "./convert.ts";

const API = "Brevo";

/** Brevo sets the Message-ID itself, reads some headers as orders, and has no inline images. */
/** What becomes of a message there. */
export const LIMITS: ConversionLimits = {
  api: API,
  maxBytes: 20_000_000,
  refusedFields: /^(?:sender\.ip|idempotencykey|x-mailin-.*)$/,
  keepsMessageId: false,
  showsInline: false,
  keepsTypeParameters: false,
  maxReplyTo: 1,
  maxTags: Infinity,
};

/** Source: developers.brevo.com/docs/how-it-works, "Error codes". */
export const ANSWERS: AnswerTable = {
  statuses: { ...CONVERSION_STATUSES, 201: "delivered", 202: "delivered" },
  codes: {
    unauthorized: "broken",
    permission_denied: "broken",
    account_under_validation: "broken",
    not_enough_credits: { verdict: "exhausted", waitMs: 3_600_000 },
    method_not_allowed: "broken",
    document_not_found: "broken",
    too_many_requests: "limited",
    invalid_parameter: "unsuitable",
    missing_parameter: "unsuitable",
    out_of_range: "unsuitable",
    // A request with this key has come before. What became of it is not said, and it may have
    // failed, so that it is no proof of a delivery.
    duplicate_parameter: "uncertain",
  },
};

/** A way out through Brevo, which takes no raw message but knows when it is asked twice. */
export function createBrevo(config: BrevoConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Brevo(config), options);
}

class Brevo implements Provider {
  readonly kind = "brevo";
  readonly maxRecipients = 99;
  readonly baseUrl: URL;
  readonly #config: BrevoConfig;

  constructor(config: BrevoConfig) {
    this.baseUrl = apiUrl(config.base_url, "https://api.brevo.com");
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const message = await convertJob(job, LIMITS);
    if (message.kind === "unsuitable") return message;
    const shipments = shipmentsOf(message, (addressing) =>
      brevoRequest(message, {
        addressing,
        key: idempotencyUuid(job, addressing.recipients),
        config: this.#config,
        base: this.baseUrl,
      }));
    return { kind: "shipments", shipments, losses: message.losses };
  }

  judge(answer: Answer, { nowMs }: { nowMs: number }): Outcome {
    const json = jsonOf(answer);
    if (answer.status === 201 || answer.status === 202) {
      const id = textAt(json, "messageId") ?? "";
      return outcomeOf("delivered", { text: `${API} accepted it as ${id}` });
    }
    const code = textAt(json, "code");
    const problem = { codes: code === null ? [] : [code], text: messageText(json) };
    return judge({ api: API, answer, table: ANSWERS, problem, nowMs });
  }
}
