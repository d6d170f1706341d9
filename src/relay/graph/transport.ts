import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import { rawProblem } from "../http/carry.ts";
import { addressedMessage } from "../http/envelope_headers.ts";
import { type Answer, type HttpRequest, jsonOf } from "../http/exchange.ts";
import { messageText, textAt, valueAt } from "../http/fields.ts";
import { OAuthTokens } from "../http/oauth.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, replyOf } from "../http/outcome.ts";
import {
  type Authorization,
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
} from "../http/provider.ts";
import type { GraphConfig } from "./config.ts";
import { graphRequest } from "./convert.ts";

const API = "Microsoft Graph";

/** Requests are cut off at 4 MiB, base64 included. */
/** What it takes. */
export const LIMITS = { api: API, maxBytes: 3 * 1024 * 1024 - 4096 };
const HOUR_MS = 3_600_000;

/** Hosts of the API and of its tokens (learn.microsoft.com/graph/deployments). */
const CLOUDS = {
  "global": { api: "graph.microsoft.com", login: "login.microsoftonline.com" },
  "us-gov": { api: "graph.microsoft.us", login: "login.microsoftonline.us" },
  "us-gov-dod": { api: "dod-graph.microsoft.us", login: "login.microsoftonline.us" },
  "china": { api: "microsoftgraph.chinacloudapi.cn", login: "login.chinacloudapi.cn" },
} as const;

/** Source: learn.microsoft.com/graph/errors and the response codes of Exchange Web Services. */
export const ANSWERS: AnswerTable = {
  statuses: { 202: "delivered", 507: { verdict: "exhausted", waitMs: HOUR_MS } },
  codes: {
    ApplicationThrottled: "limited",
    ActivityLimitReached: "limited",
    TooManyRequests: "limited",
    MailboxConcurrency: "limited",
    ErrorServerBusy: { verdict: "limited", enhanced: "4.3.0" },
    ErrorMailboxStoreUnavailable: { verdict: "limited", enhanced: "4.3.0" },
    ErrorMailboxMoveInProgress: { verdict: "limited", enhanced: "4.3.0" },
    ErrorInternalServerTransientError: { verdict: "limited", enhanced: "4.3.0" },
    ErrorExceededMessageLimit: { verdict: "exhausted", waitMs: HOUR_MS },
    ErrorQuotaExceeded: { verdict: "exhausted", waitMs: HOUR_MS },
    ErrorAccessDenied: "broken",
    ErrorAccountSuspend: "broken",
    ErrorInvalidUser: "broken",
    ErrorMessageSubmissionBlocked: "broken",
    Authorization_RequestDenied: "broken",
    InvalidAuthenticationToken: "broken",
    MailboxNotEnabledForRESTAPI: "broken",
    Request_ResourceNotFound: "broken",
    ResourceNotFound: "broken",
    ErrorSendAsDenied: { verdict: "unsuitable", enhanced: "5.7.1" },
    ErrorMessageSizeExceeded: { verdict: "unsuitable", enhanced: "5.3.4" },
    RequestEntityTooLarge: { verdict: "unsuitable", enhanced: "5.3.4" },
    ErrorMimeContentInvalid: "rejected",
    ErrorMimeContentInvalidBase64String: "rejected",
    ErrorInvalidRecipients: { verdict: "rejected", enhanced: "5.1.3" },
  },
};

/** A way out through Microsoft Graph. Recipients are put where it reads them, in the fields. */
export function createGraph(config: GraphConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Graph(config, options), options);
}

class Graph implements Provider {
  readonly kind = "graph";
  readonly maxRecipients = 500;
  readonly maxConcurrency = 4; // requests at once to one mailbox
  readonly baseUrl: URL;
  readonly #user: string;
  readonly #tokens: OAuthTokens;

  constructor(config: GraphConfig, options: ProviderOptions) {
    const cloud = CLOUDS[config.region];
    this.baseUrl = apiUrl(config.base_url, `https://${cloud.api}`);
    this.#user = config.user;
    const tenant = encodeURIComponent(config.tenant);
    this.#tokens = new OAuthTokens({
      tokenUrl: config.token_url ?? `https://${cloud.login}/${tenant}/oauth2/v2.0/token`,
      clientId: config.client_id,
      clientSecret: config.client_secret,
      scope: `https://${cloud.api}/.default`,
      ...(config.refresh_token === undefined ? {} : { refreshToken: config.refresh_token }),
    }, options);
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const problem = await rawProblem(job, LIMITS);
    if (problem !== null) return { kind: "unsuitable", reply: problem };
    const message = await addressedMessage(job);
    if (message.kind === "too_long") {
      return { kind: "unsuitable", reply: replyOf("5.6.0", "The header section is too long") };
    }
    const request = graphRequest(message.body, { user: this.#user, base: this.baseUrl });
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
    const error = valueAt(jsonOf(answer), "error");
    const code = textAt(error, "code");
    const problem = { codes: code === null ? [] : [code], text: messageText(error) };
    return judge({ api: API, answer, table: ANSWERS, problem, nowMs });
  }
}
