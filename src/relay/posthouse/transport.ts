import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { textAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf } from "../http/outcome.ts";
import { HttpTransport, type Plan, type Provider, type ProviderOptions } from "../http/provider.ts";
import type { PosthouseConfig } from "./config.ts";
import { posthouseRequest } from "./convert.ts";

const API = "Posthouse";

/** Errors are problem documents (RFC 9457). 507 is a full store. */
const ANSWERS: AnswerTable = {
  statuses: { 409: "temporary", 507: { verdict: "limited", enhanced: "4.3.1" } },
  codes: {},
};

/** A way out through another Posthouse, which answers once the message is on its disk. */
export function createPosthouse(config: PosthouseConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Posthouse(config), options);
}

class Posthouse implements Provider {
  readonly kind = "posthouse";
  readonly maxRecipients = 1000;
  readonly baseUrl: URL;
  readonly #config: PosthouseConfig;

  constructor(config: PosthouseConfig) {
    this.baseUrl = apiUrl(undefined, config.url);
    this.#config = config;
  }

  plan(job: DeliveryJob): Plan {
    const request = posthouseRequest(job, { config: this.#config, base: this.baseUrl });
    return { kind: "shipments", shipments: [{ request, recipients: job.recipients }] };
  }

  judge(answer: Answer, { nowMs }: { nowMs: number }): Outcome {
    const json = jsonOf(answer);
    if (answer.status >= 200 && answer.status < 300) {
      const id = textAt(json, "id");
      return id === null
        ? outcomeOf("uncertain", { text: `${API} answered ${answer.status} without an id` })
        : outcomeOf("delivered", { text: `${API} took it as ${id}` });
    }
    const text = textAt(json, "detail") ?? textAt(json, "title") ?? "";
    return judge({ api: API, answer, table: ANSWERS, problem: { codes: [], text }, nowMs });
  }
}
