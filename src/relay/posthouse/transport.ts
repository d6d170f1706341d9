import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { parseEnhancedCode } from "../../mail/enhanced_code.ts";
import { mailboxKey } from "../http/addresses.ts";
import { apiAddress } from "../http/carry.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { listAt, textAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf } from "../http/outcome.ts";
import {
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { PosthouseConfig } from "./config.ts";
import { posthouseRequest } from "./convert.ts";

const API = "Posthouse";

/** Errors are problem documents (RFC 9457), whose type is the code. 507 is a full store. */
export const ANSWERS: AnswerTable = {
  statuses: { 409: "temporary", 507: { verdict: "limited", enhanced: "4.3.1" } },
  codes: {
    "/problems/key-taken": "uncertain", // it has something of this name
    "/problems/too-many-recipients": { verdict: "unsuitable", enhanced: "5.5.3" },
  },
};

/** A way out through another Posthouse, which answers once the message is on its disk. */
export function createPosthouse(config: PosthouseConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Posthouse(config), options);
}

class Posthouse implements Provider {
  readonly kind = "posthouse";
  readonly maxRecipients = 100; // every relay takes as many, RFC 5321 4.5.3.1.8
  readonly namesRefused = true;
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

  judge(
    answer: Answer,
    { shipment, nowMs }: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    const json = jsonOf(answer);
    if (answer.status >= 200 && answer.status < 300) {
      const id = textAt(json, "id");
      return id === null
        ? outcomeOf("uncertain", { text: `${API} answered ${answer.status} without an id` })
        : outcomeOf("delivered", { text: `${API} accepted it as ${id}` });
    }
    const refused = refusedIn(json);
    if (refused.size > 0) return outcomesOf(shipment, refused);
    const text = textAt(json, "detail") ?? textAt(json, "title") ?? "";
    const type = textAt(json, "type");
    const problem = { codes: type === null ? [] : [type], text };
    return judge({ api: API, answer, table: ANSWERS, problem, nowMs });
  }
}

/** What it says of recipients it refused, by mailbox; the message went to nobody then. */
function refusedIn(json: unknown): ReadonlyMap<string, Outcome> {
  const refused = new Map<string, Outcome>();
  for (const entry of listAt(json, "recipients")) {
    const text = textAt(entry, "reply") ?? "";
    const enhanced = parseEnhancedCode(text.split(" ")[1] ?? "");
    if (enhanced === null || enhanced.startsWith("2")) continue;
    const verdict = enhanced.startsWith("5") ? "rejected" : "temporary";
    const outcome = outcomeOf({ verdict, enhanced }, { text: `${API}: ${text}` });
    refused.set(mailboxKey(textAt(entry, "address") ?? ""), outcome);
  }
  return refused;
}

/** The others are tried without those that were refused. */
function outcomesOf(
  { recipients }: Shipment,
  refused: ReadonlyMap<string, Outcome>,
): readonly Outcome[] {
  const text = `${API} refused the message for the sake of others`;
  const others = outcomeOf({ verdict: "limited", enhanced: "4.3.0" }, { text });
  return recipients.map((recipient) => refused.get(mailboxKey(apiAddress(recipient))) ?? others);
}
