import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { rawProblem } from "../http/carry.ts";
import { addressedMessage } from "../http/envelope_headers.ts";
import { type Answer, type HttpRequest, jsonOf } from "../http/exchange.ts";
import { listAt, messageText, textAt, valueAt } from "../http/fields.ts";
import { OAuthTokens } from "../http/oauth.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, type Problem, replyOf } from "../http/outcome.ts";
import {
  type Authorization,
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
} from "../http/provider.ts";
import type { GmailConfig } from "./config.ts";
import { gmailRequest } from "./convert.ts";

const API = "Gmail";

/** The largest upload of the API's description (`gmail.v1`, mediaUpload.maxSize). */
/** What it takes. */
export const LIMITS = { api: API, maxBytes: 36_700_160 };
const HOUR_MS = 3_600_000;

/**
 * Source: developers.google.com/gmail/api/guides/handle-errors. The reason tells more than the
 * status: 403 is a missing permission, a rate or a quota.
 */
export const ANSWERS: AnswerTable = {
  statuses: {},
  codes: {
    rateLimitExceeded: "limited",
    userRateLimitExceeded: "limited",
    concurrentLimitExceeded: "limited",
    dailyLimitExceeded: { verdict: "exhausted", waitMs: HOUR_MS },
    quotaExceeded: { verdict: "exhausted", waitMs: HOUR_MS },
    limitExceeded: { verdict: "exhausted", waitMs: HOUR_MS },
    authError: "broken",
    accessNotConfigured: "broken",
    delegationDenied: "broken",
    domainPolicy: "broken",
    failedPrecondition: "broken", // no mail service for this user
    forbidden: "broken",
    insufficientPermissions: "broken",
    notFound: "broken",
    invalidArgument: "rejected",
    uploadTooLarge: { verdict: "unsuitable", enhanced: "5.3.4" },
    backendError: { verdict: "limited", enhanced: "4.3.0" },
    internalError: { verdict: "limited", enhanced: "4.3.0" },
  },
};

/** A way out through the Gmail API. Recipients are put where it reads them, in the fields. */
export function createGmail(config: GmailConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Gmail(config, options), options);
}

class Gmail implements Provider {
  readonly kind = "gmail";
  readonly maxRecipients = 500;
  readonly baseUrl: URL;
  readonly #user: string;
  readonly #tokens: OAuthTokens;

  constructor(config: GmailConfig, options: ProviderOptions) {
    this.baseUrl = apiUrl(config.base_url, "https://gmail.googleapis.com");
    this.#user = config.user;
    this.#tokens = new OAuthTokens({
      tokenUrl: config.token_url,
      clientId: config.client_id,
      clientSecret: config.client_secret,
      refreshToken: config.refresh_token,
    }, options);
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const problem = await rawProblem(job, LIMITS);
    if (problem !== null) return { kind: "unsuitable", reply: problem };
    const message = await addressedMessage(job);
    if (message.kind === "too_long") {
      return { kind: "unsuitable", reply: replyOf("5.6.0", "The header section is too long") };
    }
    const request = gmailRequest(message.body, { user: this.#user, base: this.baseUrl });
    const shipments = [{ request, recipients: job.recipients }];
    return { kind: "shipments", shipments, losses: message.losses };
  }

  authorize(request: HttpRequest): Promise<Authorization> {
    return this.#tokens.authorize(request);
  }

  refuseCredentials(request: HttpRequest): boolean {
    return this.#tokens.refuse(request);
  }

  judge(answer: Answer, { nowMs }: { nowMs: number }): Outcome {
    const json = jsonOf(answer);
    if (answer.status === 200) {
      const id = textAt(json, "id");
      return id === null
        ? outcomeOf("uncertain", { text: `${API} answered 200 without an id` })
        : outcomeOf("delivered", { text: `${API} accepted it as ${id}` });
    }
    return judge({ api: API, answer, table: ANSWERS, problem: problemOf(json), nowMs });
  }
}

function problemOf(json: unknown): Problem {
  const codes = listAt(json, "error", "errors").map((error) => textAt(error, "reason"))
    .filter((reason) => reason !== null);
  return { codes, text: messageText(valueAt(json, "error")) };
}
