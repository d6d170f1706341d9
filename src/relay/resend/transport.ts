import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import {
  CONVERSION_STATUSES,
  type ConversionLimits,
  convertJob,
  shipmentsOf,
} from "../http/conversion.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { messageText, textAt } from "../http/fields.ts";
import { idempotencyKey } from "../http/idempotency.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, takenAs } from "../http/outcome.ts";
import { HttpTransport, type Plan, type Provider, type ProviderOptions } from "../http/provider.ts";
import type { ResendConfig } from "./config.ts";
import { resendRequest } from "./convert.ts";

const API = "Resend";

/** 40 MB with attachments; Resend sets the Message-ID itself. */
/** What becomes of a message there. */
export const LIMITS: ConversionLimits = {
  api: API,
  maxBytes: 40_000_000,
  refusedFields: /^$/,
  keepsMessageId: false,
  showsInline: true,
  keepsTypeParameters: false,
  maxReplyTo: Infinity,
  maxTags: Infinity,
};

const HOUR_MS = 3_600_000;

/**
 * Source: resend.com/docs/api-reference/errors. `validation_error` with 403 is a sender whose
 * domain is not verified; with 400 or 422 it is the request.
 */
export const ANSWERS: AnswerTable = {
  statuses: { ...CONVERSION_STATUSES, 451: "unsuitable" },
  codes: {
    missing_api_key: "broken",
    restricted_api_key: "broken",
    invalid_api_key: "broken",
    invalid_api_Key: "broken", // as older versions spell it
    suspended_api_key: "broken",
    invalid_access: "broken",
    invalid_permission: "broken",
    not_found: "broken",
    method_not_allowed: "broken",
    "403 validation_error": { verdict: "unsuitable", enhanced: "5.7.1" },
    invalid_from_address: { verdict: "unsuitable", enhanced: "5.7.1" },
    rate_limit_exceeded: "limited",
    daily_quota_exceeded: { verdict: "exhausted", waitMs: HOUR_MS },
    monthly_quota_exceeded: { verdict: "exhausted", waitMs: 6 * HOUR_MS },
    // Another request with this key is at work, or another message had it.
    concurrent_idempotent_requests: "temporary",
    invalid_idempotent_request: "uncertain",
    application_error: { verdict: "limited", enhanced: "4.3.0" },
    internal_server_error: { verdict: "limited", enhanced: "4.3.0" },
  },
};

/** A way out through Resend, which takes no raw message but knows when it is asked twice. */
export function createResend(config: ResendConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Resend(config), options);
}

class Resend implements Provider {
  readonly kind = "resend";
  readonly maxRecipients = 50;
  readonly baseUrl: URL;
  readonly #config: ResendConfig;

  constructor(config: ResendConfig) {
    this.baseUrl = apiUrl(config.base_url, "https://api.resend.com");
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const message = await convertJob(job, LIMITS);
    if (message.kind === "unsuitable") return message;
    const shipments = shipmentsOf(message, (addressing) =>
      resendRequest(message, {
        addressing,
        key: idempotencyKey(job, addressing.recipients),
        config: this.#config,
        base: this.baseUrl,
      }));
    return { kind: "shipments", shipments, losses: message.losses };
  }

  judge(answer: Answer, { nowMs }: { nowMs: number }): Outcome {
    const json = jsonOf(answer);
    if (answer.status === 200) {
      const id = textAt(json, "id");
      return id === null
        ? outcomeOf("uncertain", { text: `${API} answered 200 without an id` })
        : takenAs(id, { api: API });
    }
    const name = textAt(json, "name");
    const problem = { codes: name === null ? [] : [name], text: messageText(json) };
    return judge({ api: API, answer, table: ANSWERS, problem, nowMs });
  }
}
