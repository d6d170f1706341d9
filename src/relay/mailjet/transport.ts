import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import type { Addressing } from "../http/addressing.ts";
import {
  blame,
  CONVERSION_STATUSES,
  type ConversionLimits,
  convertJob,
} from "../http/conversion.ts";
import { type Answer, jsonOf } from "../http/exchange.ts";
import { listAt, textAt, textsAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, type Problem } from "../http/outcome.ts";
import {
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { MailjetConfig } from "./config.ts";
import { mailjetRequest } from "./convert.ts";

const API = "Mailjet";

/** Attachments may have 15 MB; headers with a key of their own are refused in `Headers`. */
/** What becomes of a message there. */
export const LIMITS: ConversionLimits = {
  api: API,
  maxBytes: 15_000_000,
  refusedFields: /^(?:user-agent|x-mailer|x-mj-.*|x-mailjet-.*|x-feedback-id|x-csa-complaints)$/,
  keepsMessageId: false,
  showsInline: true,
  keepsTypeParameters: false,
  maxReplyTo: 1,
  maxTags: 1,
};

/**
 * Source: mailjet/api-documentation, "Send API errors". A result says a status of its own, which
 * is taken for the answer's; these codes say more.
 */
export const ANSWERS: AnswerTable = {
  statuses: CONVERSION_STATUSES,
  codes: {
    "mj-0001": "broken", // account blocked
    "mj-0015": "broken", // wrong credentials
    "send-0006": { verdict: "unsuitable", enhanced: "5.7.1" }, // sender not validated
    "send-0007": { verdict: "unsuitable", enhanced: "5.7.1" }, // sender blocked
    "send-0008": { verdict: "unsuitable", enhanced: "5.7.1" }, // sender not authorized
  },
};

/** A way out through Mailjet's API 3.1, which takes no raw message. */
export function createMailjet(config: MailjetConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Mailjet(config), options);
}

class Mailjet implements Provider {
  readonly kind = "mailjet";
  readonly maxRecipients = 50;
  readonly baseUrl: URL;
  readonly #config: MailjetConfig;

  constructor(config: MailjetConfig) {
    const host = config.region === "us" ? "api.us.mailjet.com" : "api.mailjet.com";
    this.baseUrl = apiUrl(config.base_url, `https://${host}`);
    this.#config = config;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const message = await convertJob(job, LIMITS);
    if (message.kind === "unsuitable") return message;
    const { addressings, losses } = message;
    const options = { id: job.message.id, config: this.#config, base: this.baseUrl };
    const request = mailjetRequest(message, options);
    const shipments = [{ request, recipients: job.recipients, addressings }];
    return { kind: "shipments", shipments, losses };
  }

  judge(
    answer: Answer,
    { shipment, nowMs }: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    const json = jsonOf(answer);
    const results = listAt(json, "Messages");
    const addressings = shipment.addressings ?? [];
    if (results.length === 0 && answer.status === 200) {
      return outcomeOf("uncertain", { text: `${API} answered 200 without results` });
    }
    if (results.length === 0 || answer.status === 429 || answer.status >= 500) {
      return judge({ api: API, answer, table: ANSWERS, problem: problemOf(json), nowMs });
    }
    const outcomes = new Map(addressings.flatMap((addressing, index) => {
      const { recipients } = addressing;
      const result = judgeMessage(results[index], { addressing, answer, nowMs });
      return recipients.map((recipient, at) => [recipient, result[at]] as const);
    }));
    return shipment.recipients.map((recipient) =>
      outcomes.get(recipient) ?? outcomeOf("uncertain", { text: `${API} gave no result` })
    );
  }
}

/** The outcomes of one of `Messages`, for each of its recipients. */
function judgeMessage(
  result: unknown,
  { addressing, answer, nowMs }: { addressing: Addressing; answer: Answer; nowMs: number },
): Outcome[] {
  const { recipients } = addressing;
  const all = (outcome: Outcome): Outcome[] => recipients.map(() => outcome);
  if (result === undefined) return all(outcomeOf("uncertain", { text: `${API} gave no result` }));
  if (textAt(result, "Status") === "success") {
    const id = textAt(listAt(result, "To")[0], "MessageID") ?? "";
    return all(outcomeOf("delivered", { text: `${API} accepted it as ${id}` }));
  }
  const errors = listAt(result, "Errors");
  const problem = problemOf(errors[0]);
  const addresses = errors.flatMap((error) => textsAt(error, "ErrorRelatedTo"))
    .map((place) => addressAt(place, addressing)).filter((address) => address !== null);
  if (addresses.length > 0) {
    return blame(recipients, { addresses, text: problem.text });
  }
  const status = textAt(errors[0], "StatusCode");
  if (status === null) return all(outcomeOf("temporary", { text: `${API}: ${problem.text}` }));
  const own = { ...answer, status: Number(status) };
  return all(judge({ api: API, answer: own, table: ANSWERS, problem, nowMs }));
}

function problemOf(error: unknown): Problem {
  const code = textAt(error, "ErrorCode");
  return { codes: code === null ? [] : [code], text: textAt(error, "ErrorMessage") ?? "" };
}

/** The address that `To[0].Email` is about; null when it is about none. */
function addressAt(place: string, { to, cc, bcc }: Addressing): string | null {
  const [, key, index] = /\b(To|Cc|Bcc)\[(\d+)\]/.exec(place) ?? [];
  const list = key === "To" ? to : key === "Cc" ? cc : bcc;
  return key === undefined ? null : list[Number(index)]?.address ?? null;
}
