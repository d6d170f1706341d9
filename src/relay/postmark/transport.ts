import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { apiAddress } from "../http/carry.ts";
import { type ConversionLimits, convertJob, shipmentsOf } from "../http/conversion.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { messageText, textAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, takenAs } from "../http/outcome.ts";
import {
  HttpTransport,
  type JobRecipient,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { PostmarkConfig } from "./config.ts";
import { postmarkRequest } from "./convert.ts";

const API = "Postmark";

/** 10 MB with attachments (postmarkapp.com/developer/user-guide/send-email-with-api). */
/** What becomes of a message there. */
export const LIMITS: ConversionLimits = {
  api: API,
  maxBytes: 10_000_000,
  refusedFields: /^x-pm-.*$/,
  keepsMessageId: true,
  showsInline: true,
  keepsTypeParameters: true,
  maxReplyTo: Infinity,
  maxTags: 1,
};

/** Source: the table of API error codes at postmarkapp.com/developer/api/overview. */
export const ANSWERS: AnswerTable = {
  statuses: { 422: "unsuitable" },
  codes: {
    "10": "broken", // bad or missing token
    "100": { verdict: "limited", enhanced: "4.3.0" }, // maintenance
    "300": "unsuitable", // invalid request
    "400": { verdict: "unsuitable", enhanced: "5.7.1" }, // unknown sender signature
    "401": { verdict: "unsuitable", enhanced: "5.7.1" }, // sender signature not confirmed
    "402": "unsuitable", // invalid JSON
    "403": "unsuitable", // unknown key
    "405": { verdict: "exhausted", waitMs: 3_600_000 }, // out of credits
    "406": { verdict: "rejected", enhanced: "5.1.1" }, // inactive recipient
    "409": "broken", // JSON required
    "411": "unsuitable", // forbidden type of attachment
    "412": "broken", // account not approved yet
    "413": "broken", // account may not send
    "429": "limited",
    "1235": "broken", // no such message stream
    "1236": "broken", // message stream cannot send
  },
};

const INACTIVE_RECIPIENT = "406";

/** A way out through Postmark, which takes no raw message. */
export function createPostmark(config: PostmarkConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Postmark(config), options);
}

class Postmark implements Provider {
  readonly kind = "postmark";
  readonly maxRecipients = 50;
  readonly baseUrl: URL;
  readonly #config: PostmarkConfig;

  constructor(config: PostmarkConfig) {
    this.baseUrl = apiUrl(config.base_url, "https://api.postmarkapp.com");
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const message = await convertJob(job, LIMITS);
    if (message.kind === "unsuitable") return message;
    const shipments = shipmentsOf(
      message,
      (addressing) =>
        postmarkRequest(message, { addressing, config: this.#config, base: this.baseUrl }),
    );
    return { kind: "shipments", shipments, losses: message.losses };
  }

  judge(
    answer: Answer,
    { shipment, nowMs }: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    const json = jsonOf(answer);
    const code = textAt(json, "ErrorCode");
    const text = messageText(json);
    if (answer.status === 200 && code === "0") {
      const taken = takenAs(textAt(json, "MessageID") ?? "", { api: API });
      return this.#inactive(shipment, { text, others: taken });
    }
    if (answer.status === 200) {
      return outcomeOf("uncertain", { text: `${API} answered 200 without a result` });
    }
    const problem = { codes: code === null ? [] : [code], text };
    const outcome = judge({ api: API, answer, table: ANSWERS, problem, nowMs });
    if (code !== INACTIVE_RECIPIENT) return outcome;
    const others = outcomeOf({ verdict: "limited", enhanced: "4.3.0" }, { text });
    const outcomes = this.#inactive(shipment, { text, others });
    return outcomes.some(({ kind }) => kind === "permanent") ? outcomes : outcome;
  }

  /**
   * Postmark leaves out recipients that it has marked as inactive, and says who they are nowhere
   * but in its text, so the addresses are looked for there.
   */
  #inactive(
    { recipients }: Shipment,
    { text, others }: { text: string; others: Outcome },
  ): Outcome[] {
    const named = new Set(text.toLowerCase().split(/[\s,;:'"<>]+/).map(withoutDot));
    const isInactive = (recipient: JobRecipient): boolean =>
      named.has(apiAddress(recipient).toLowerCase());
    return recipients.map((recipient) =>
      isInactive(recipient)
        ? outcomeOf({ verdict: "rejected", enhanced: "5.1.1" }, { text: `${API}: ${text}` })
        : others
    );
  }
}

function withoutDot(word: string): string {
  return word.endsWith(".") ? word.slice(0, -1) : word;
}
