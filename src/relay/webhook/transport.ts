import type { Clock } from "../../base/clock.ts";
import { encodeText } from "../../base/bytes.ts";
import { parseEnhancedCode } from "../../mail/enhanced_code.ts";
import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { hmacSha256, sha256Hex } from "../http/digest.ts";
import { type Answer, type HttpRequest, jsonOf } from "../http/exchange.ts";
import type { Foresee } from "../http/foresee.ts";
import { listAt, messageText, textAt } from "../http/fields.ts";
import { type AnswerTable, judge, outcomeOf, replyOf, type Verdict } from "../http/outcome.ts";
import {
  type Authorization,
  forEachRecipient,
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
  type Shipment,
} from "../http/provider.ts";
import type { WebhookConfig } from "./config.ts";
import { textToSign, webhookRequest } from "./convert.ts";
import { parsedFields } from "./parsed.ts";

const API = "The webhook";

export const ANSWERS: AnswerTable = { statuses: {}, codes: {} };

/**
 * A way out to any address that takes messages over HTTP. With a secret, `X-Posthouse-Timestamp`
 * (seconds since the epoch) and `X-Posthouse-Signature` (`v1=` and the HMAC-SHA-256 of
 * `textToSign` in lower-case hexadecimal) let it tell our requests from others', and old ones
 * from new. Any 2xx takes the message; a body `{"recipients": [{"address", "code", "enhanced",
 * "text"}]}` may answer for each recipient as an SMTP server would.
 */
export function createWebhook(config: WebhookConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Webhook(config, options.clock), options);
}

const TOO_COMPLEX = {
  kind: "unsuitable",
  reply: replyOf("5.6.0", "The message has more parts, levels or header than can be parsed"),
} as const;

/** Without the format `parsed` messages go out as they are. */
export const foresee: Foresee = async (job, format) => {
  if (format !== "parsed") return { kind: "carried", losses: [] };
  const parsed = await parsedFields(job);
  return parsed === null ? TOO_COMPLEX : { kind: "carried", losses: parsed.losses };
};

class Webhook implements Provider {
  readonly kind = "webhook";
  readonly maxRecipients = 1000;
  readonly namesRefused = true;
  readonly baseUrl: URL;
  readonly #config: WebhookConfig;
  readonly #clock: Clock;

  constructor(config: WebhookConfig, clock: Clock) {
    this.baseUrl = new URL(config.url);
    this.#config = config;
    this.#clock = clock;
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const isParsed = this.#config.format === "parsed";
    const parsed = isParsed ? await parsedFields(job) : null;
    if (isParsed && parsed === null) return TOO_COMPLEX;
    const request = webhookRequest(job, { config: this.#config, parsed });
    const shipments = [{ request, recipients: job.recipients }];
    return { kind: "shipments", shipments, losses: parsed?.losses ?? [] };
  }

  async authorize(request: HttpRequest): Promise<Authorization> {
    const { secret } = this.#config;
    if (secret === undefined) return { kind: "request", request };
    const timestamp = Math.floor(this.#clock.now() / 1000);
    const text = textToSign(request, { timestamp, bodyHash: await sha256Hex(request.body) });
    const signature = (await hmacSha256(encodeText(secret), text)).toHex();
    const headers = {
      ...request.headers,
      "x-posthouse-timestamp": String(timestamp),
      "x-posthouse-signature": `v1=${signature}`,
    };
    return { kind: "request", request: { ...request, headers } };
  }

  judge(
    answer: Answer,
    { shipment, nowMs }: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    const json = jsonOf(answer);
    const { status } = answer;
    if (status < 200 || status >= 300) {
      const problem = { codes: [], text: messageText(json) };
      return judge({ api: API, answer, table: ANSWERS, problem, nowMs });
    }
    const results = listAt(json, "recipients").map(resultOf).filter((result) => result !== null);
    if (results.length > 0) return forEachRecipient(shipment, results);
    return outcomeOf("delivered", { text: `${API} answered ${status}` });
  }
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  "2": "delivered",
  "4": "temporary",
  "5": "rejected",
};

/** One recipient's result: a reply code of RFC 5321 4.2 with or without an enhanced code. */
function resultOf(entry: unknown): { address: string; outcome: Outcome } | null {
  const address = textAt(entry, "address");
  const code = textAt(entry, "code");
  const verdict = VERDICTS[code?.charAt(0) ?? ""] ?? "temporary";
  if (address === null) return null;
  const enhanced = parseEnhancedCode(textAt(entry, "enhanced") ?? "");
  const row = enhanced !== null && enhanced.charAt(0) === code?.charAt(0)
    ? { verdict, enhanced }
    : verdict;
  const text = textAt(entry, "text") ?? `${API} answered ${code ?? "nothing"}`;
  return { address, outcome: outcomeOf(row, { text }) };
}
