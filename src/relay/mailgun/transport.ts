import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { rawProblem } from "../http/carry.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { messageText, textAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, takenAs } from "../http/outcome.ts";
import { HttpTransport, type Plan, type Provider, type ProviderOptions } from "../http/provider.ts";
import type { MailgunConfig } from "./config.ts";
import { mailgunRequest } from "./convert.ts";

const API = "Mailgun";
/** What it takes. */
export const LIMITS = { api: API, maxBytes: 25 * 1024 * 1024 };

/**
 * Source: documentation.mailgun.com, "Responses". Mailgun's errors have no codes. Of 404 it says
 * that it can pass; it concerns the domain, so that it is the transport's.
 */
export const ANSWERS: AnswerTable = { statuses: { 200: "delivered" }, codes: {} };

/** A way out through Mailgun; the message goes out octet for octet. */
export function createMailgun(config: MailgunConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Mailgun(config), options);
}

class Mailgun implements Provider {
  readonly kind = "mailgun";
  readonly maxRecipients = 1000;
  readonly baseUrl: URL;
  readonly #config: MailgunConfig;

  constructor(config: MailgunConfig) {
    const host = config.region === "eu" ? "api.eu.mailgun.net" : "api.mailgun.net";
    this.baseUrl = apiUrl(config.base_url, `https://${host}`);
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const reply = await rawProblem(job, LIMITS);
    if (reply !== null) return { kind: "unsuitable", reply };
    const request = mailgunRequest(job, { config: this.#config, base: this.baseUrl });
    return { kind: "shipments", shipments: [{ request, recipients: job.recipients }] };
  }

  judge(answer: Answer, { nowMs }: { nowMs: number }): Outcome {
    const json = jsonOf(answer);
    const id = textAt(json, "id");
    if (answer.status === 200) {
      // Something else that says 200, such as a login page, has not taken the message.
      return id === null
        ? outcomeOf("uncertain", { text: `${API} answered 200 without an id` })
        : takenAs(id, { api: API });
    }
    const problem = { codes: [], text: messageText(json) };
    return judge({ api: API, answer, table: ANSWERS, problem, nowMs });
  }
}
