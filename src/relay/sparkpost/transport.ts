import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { mailboxKey } from "../http/addresses.ts";
import { apiAddress, rawTextOf } from "../http/carry.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { listAt, messageText, tableOf, textAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, type Problem } from "../http/outcome.ts";
import {
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { SparkpostConfig } from "./config.ts";
import { sparkpostRequest } from "./convert.ts";

const API = "SparkPost";

/** The JSON text should stay near 50 MB, and escapes add to the message's octets. */
/** What it takes. */
export const LIMITS = { api: API, maxBytes: 40_000_000 };

const HOUR_MS = 3_600_000;

/**
 * Sources: SparkPost/support-docs `extended-error-codes.md` and, of 504,
 * `transmission-best-practices.md`. 420 is SparkPost's own status for a
 * sending limit; 1502 comes with 400 and asks to try later.
 */
export const ANSWERS: AnswerTable = {
  statuses: {
    420: { verdict: "exhausted", waitMs: HOUR_MS },
    504: "uncertain", // it may have been taken nevertheless
  },
  codes: {
    "1100": "broken", // permission denied
    "1101": "broken", // invalid URI
    "1102": "broken", // invalid method
    "1103": "broken", // invalid query string
    "1303": "broken", // unauthorized tenant
    "1304": "broken", // unauthorized user
    "1305": { verdict: "unsuitable", enhanced: "5.6.3" }, // not UTF-8
    "1502": { verdict: "limited", enhanced: "4.3.0" }, // server resources unavailable
    "1600": "broken", // resource not found
    "1601": "broken", // no licence
    "1900": { verdict: "limited", enhanced: "4.3.0" }, // generation not available
    "1910": "broken", // generation not configured
    "2101": { verdict: "exhausted", waitMs: HOUR_MS / 4 }, // hourly limit
    "2102": { verdict: "exhausted", waitMs: HOUR_MS }, // daily limit
    "2103": { verdict: "exhausted", waitMs: HOUR_MS }, // sandbox limit
    "2105": { verdict: "exhausted", waitMs: 6 * HOUR_MS }, // monthly limit
    "5002": { verdict: "rejected", enhanced: "5.1.3" }, // no valid recipients
    "7000": { verdict: "unsuitable", enhanced: "5.7.1" }, // sending domain blocked
    "7001": { verdict: "unsuitable", enhanced: "5.7.1" }, // invalid sending domain
  },
};

/** A way out through SparkPost; the message goes out octet for octet. */
export function createSparkpost(config: SparkpostConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Sparkpost(config), options);
}

class Sparkpost implements Provider {
  readonly kind = "sparkpost";
  readonly maxRecipients = 1000;
  readonly maxConcurrency = 10; // SparkPost asks for no more connections
  readonly baseUrl: URL;
  readonly #config: SparkpostConfig;

  constructor(config: SparkpostConfig) {
    const host = config.region === "eu" ? "api.eu.sparkpost.com" : "api.sparkpost.com";
    this.baseUrl = apiUrl(config.base_url, `https://${host}`);
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const raw = await rawTextOf(job, LIMITS);
    if (raw.kind === "unsuitable") return raw;
    const options = { text: raw.text, config: this.#config, base: this.baseUrl };
    const request = sparkpostRequest(job, options);
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
    if (answer.status === 200) return accepted(json, shipment);
    return judge({ api: API, answer, table: ANSWERS, problem: problemOf(json), nowMs });
  }
}

/**
 * How many were refused is always said, who they are only in words, if at all. Where the words
 * name as many as the number says, the others were taken; else nothing is known of them.
 */
function accepted(json: unknown, { recipients }: Shipment): Outcome | readonly Outcome[] {
  const id = textAt(json, "results", "id");
  const count = Number(textAt(json, "results", "total_rejected_recipients") ?? 0);
  if (id === null) return outcomeOf("uncertain", { text: `${API} answered 200 without an id` });
  const taken = outcomeOf("delivered", { text: `${API} accepted it as ${id}` });
  if (count === 0) return taken;
  const text = `${API} refused ${count} recipients of ${id}`;
  const refused = outcomeOf({ verdict: "rejected", enhanced: "5.1.3" }, { text });
  if (textAt(json, "results", "total_accepted_recipients") === "0") return refused;
  const named = refusedAddresses(json);
  const isNamed = recipients.map((recipient) => named.has(mailboxKey(apiAddress(recipient))));
  const isKnown = isNamed.filter((is) => is).length === count;
  const others = isKnown ? taken : outcomeOf("uncertain", { text });
  return isNamed.map((is) => is ? refused : others);
}

/** Source: SparkPost/support-docs `transmission-best-practices.md`, "Understanding Failure". */
function refusedAddresses(json: unknown): ReadonlySet<string> {
  const words = listAt(json, "results", "rcpt_to_errors").map((error) =>
    /^invalid recipient address\.email: (\S.*)$/.exec(textAt(error, "description") ?? "")?.[1]
  );
  return new Set(words.filter((address) => address !== undefined).map(mailboxKey));
}

function problemOf(json: unknown): Problem {
  const errors = listAt(json, "errors").map(tableOf).filter((error) => error !== null);
  const codes = errors.map((error) => textAt(error, "code")).filter((code) => code !== null);
  const first = errors[0] ?? null;
  return { codes, text: textAt(first, "description") ?? messageText(first) };
}
