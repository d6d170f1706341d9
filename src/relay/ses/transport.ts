import type { Clock } from "../../base/clock.ts";
import type { DeliveryJob, Outcome, Transport } from "../../delivery/transport.ts";
import type { Reply } from "../../mail/reply.ts";
import { rawProblem } from "../http/carry.ts";
import { type Foresee, foreseeRaw } from "../http/foresee.ts";
import { sha256Hex } from "../http/digest.ts";
import { type Answer, type HttpRequest, jsonOf } from "../http/exchange.ts";
import { messageText, textAt } from "../http/fields.ts";
import { apiUrl } from "../http/options.ts";
import { type AnswerTable, judge, outcomeOf, replyOf, takenAs } from "../http/outcome.ts";
import {
  type Authorization,
  HttpTransport,
  type Plan,
  type Provider,
  type ProviderOptions,
} from "../http/provider.ts";
import { type AwsCredentials, signV4 } from "../http/sigv4.ts";
import type { SesConfig } from "./config.ts";
import { sesRequest } from "./convert.ts";

const API = "Amazon SES";

/** 40 MB after base64 (docs.aws.amazon.com/ses/latest/dg/quotas.html), less the JSON around it. */
const LIMITS = { api: API, maxBytes: 30_000_000 - 64 * 1024 };
const LONGEST_LINE_BYTES = 998;

/**
 * Sources: the errors of SendEmail in botocore's service-2.json, and the common errors of AWS.
 * MessageRejected is what SES says both of content it dislikes and of senders it does not know;
 * the second is this account's matter, so that another transport may try.
 */
export const ANSWERS: AnswerTable = {
  statuses: { 400: "rejected" },
  codes: {
    TooManyRequestsException: "limited",
    ThrottlingException: "limited",
    Throttling: "limited",
    RequestThrottled: "limited",
    LimitExceededException: { verdict: "exhausted", waitMs: 600_000 },
    AccountSuspendedException: "broken",
    SendingPausedException: "broken",
    ConfigurationSetSendingPausedException: "broken",
    MessageRejected: { verdict: "unsuitable", enhanced: "5.7.1" },
    MailFromDomainNotVerifiedException: { verdict: "unsuitable", enhanced: "5.7.1" },
    NotFoundException: "broken",
    BadRequestException: "rejected",
    ValidationException: "rejected",
    AccessDeniedException: "broken",
    AccessDenied: "broken",
    ExpiredTokenException: "broken",
    ExpiredToken: "broken",
    IncompleteSignature: "broken",
    InvalidClientTokenId: "broken",
    InvalidSignatureException: "broken",
    MissingAuthenticationTokenException: "broken",
    MissingAuthenticationToken: "broken",
    NotAuthorized: "broken",
    OptInRequired: "broken",
    RequestExpired: "broken",
    SignatureDoesNotMatch: "broken",
    UnrecognizedClientException: "broken",
    InternalFailure: "limited",
    InternalServiceErrorException: "limited",
    ServiceUnavailable: "limited",
  },
};

/**
 * A quota that is used up has the code of a rate that is too high; only its words, which AWS
 * documents, tell them apart (docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html).
 */
const QUOTA_WORDS = "Daily message quota exceeded";
const QUOTA_USED_UP: AnswerTable = {
  statuses: ANSWERS.statuses,
  codes: { ...ANSWERS.codes, ThrottlingException: { verdict: "exhausted", waitMs: 600_000 } },
};

/** A way out through the API v2 of Amazon SES; the message goes out octet for octet. */
export function createSes(config: SesConfig, options: ProviderOptions): Transport {
  return new HttpTransport(new Ses(config, options.clock), options);
}

/** How it carries the message of a job. */
export const foresee: Foresee = foreseeRaw(problemOf);

async function problemOf(job: DeliveryJob): Promise<Reply | null> {
  const reply = await rawProblem(job, LIMITS);
  if (reply !== null) return reply;
  const { longestLineBytes } = job.message.facts;
  if (longestLineBytes <= LONGEST_LINE_BYTES) return null;
  const text = `${API} takes lines of ${LONGEST_LINE_BYTES} octets, not ${longestLineBytes}`;
  return replyOf("5.6.0", text);
}

class Ses implements Provider {
  readonly kind = "ses";
  readonly maxRecipients = 50;
  readonly baseUrl: URL;
  readonly #config: SesConfig;
  readonly #clock: Clock;
  readonly #credentials: AwsCredentials;

  constructor(config: SesConfig, clock: Clock) {
    this.baseUrl = apiUrl(config.base_url, `https://email.${config.region}.amazonaws.com`);
    this.#config = config;
    this.#clock = clock;
    this.#credentials = {
      accessKeyId: config.access_key_id,
      secretAccessKey: config.secret_access_key,
      ...(config.session_token === undefined ? {} : { sessionToken: config.session_token }),
    };
  }

  async plan(job: DeliveryJob): Promise<Plan> {
    const reply = await problemOf(job);
    if (reply !== null) return { kind: "unsuitable", reply };
    const request = sesRequest(job, { config: this.#config, base: this.baseUrl });
    return { kind: "shipments", shipments: [{ request, recipients: job.recipients }] };
  }

  async authorize(request: HttpRequest): Promise<Authorization> {
    const signed = await signV4({
      method: "POST",
      url: new URL(request.url),
      headers: Object.entries(request.headers),
      payloadHash: await sha256Hex(request.body),
    }, {
      credentials: this.#credentials,
      scope: { region: this.#config.region, service: "ses", nowMs: this.#clock.now() },
    });
    return { kind: "request", request: { ...request, headers: { ...request.headers, ...signed } } };
  }

  judge(answer: Answer, { nowMs }: { nowMs: number }): Outcome {
    const json = jsonOf(answer);
    const id = textAt(json, "MessageId");
    if (answer.status === 200) {
      return id === null
        ? outcomeOf("uncertain", { text: `${API} answered 200 without a MessageId` })
        : takenAs(id, { api: API });
    }
    const codes = [
      answer.headers.get("x-amzn-errortype"),
      textAt(json, "__type"),
      textAt(json, "code"),
    ]
      .filter((code) => code !== null)
      .map(shapeName);
    const text = messageText(json);
    const table = text.includes(QUOTA_WORDS) ? QUOTA_USED_UP : ANSWERS;
    return judge({ api: API, answer, table, problem: { codes, text }, nowMs });
  }
}

/** The name in `aws.protocols#Name:http://…`, the forms in which AWS gives an error's shape. */
function shapeName(code: string): string {
  const [name = ""] = code.slice(code.indexOf("#") + 1).split(":");
  return name;
}
