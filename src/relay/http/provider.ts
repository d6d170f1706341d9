import type { Clock } from "../../base/clock.ts";
import type { HttpFetch } from "../../base/http_request.ts";
import type { Reply } from "../../mail/reply.ts";
import type {
  DeliverOptions,
  DeliveryJob,
  DeliveryReport,
  Loss,
  Outcome,
  RateAllowance,
  Transport,
} from "../../delivery/transport.ts";
import { type Answer, exchange, type HttpRequest } from "./exchange.ts";
import type { Addressing } from "./addressing.ts";
import { mailboxKey } from "./addresses.ts";
import { apiAddress } from "./carry.ts";
import { divide, mayConcernOne } from "./divide.ts";
import type { RefreshTokens } from "./oauth.ts";
import { outcomeOf, outcomeOfFailure, standing } from "./outcome.ts";
import { brokenPromise } from "./promises.ts";
import { rateAllowance } from "./rate.ts";
import { HttpTranscript } from "./transcript.ts";

/** A recipient of a job. */
export type JobRecipient = DeliveryJob["recipients"][number];

/** One request and whom it is for. */
export interface Shipment {
  readonly request: HttpRequest;
  /** At least one, out of the job. */
  readonly recipients: readonly JobRecipient[];
  /** How the request names them, where its answer may refer to that. */
  readonly addressings?: readonly Addressing[];
}

/** How a message is to be handed to an API. */
export type Plan =
  | {
    readonly kind: "shipments";
    /** Every recipient of the job is in exactly one. */
    readonly shipments: readonly Shipment[];
    readonly losses?: readonly Loss[];
  }
  /** The API cannot take it. */
  | { readonly kind: "unsuitable"; readonly reply: Reply; readonly losses?: readonly Loss[] };

/** A request with its credentials, or why there are none. */
export type Authorization =
  | { readonly kind: "request"; readonly request: HttpRequest }
  | { readonly kind: "failed"; readonly outcome: Outcome };

/** What is particular to one API. */
export interface Provider {
  /** The name of the provider, as in the config file. */
  readonly kind: string;
  /** Where requests go, for reports. */
  readonly baseUrl: URL;
  /** Attempts at once; undefined for the usual number. */
  readonly maxConcurrency?: number;
  readonly maxRecipients: number;
  /** Whether an answer that refuses recipients names them; all are meant where it names none. */
  readonly namesRefused?: true;
  /** Turns a job into requests. No request leaves before it returned. */
  plan(job: DeliveryJob): Plan | Promise<Plan>;
  /** Adds credentials that change with time; absent where `plan` added them. */
  authorize?(request: HttpRequest): Promise<Authorization>;
  /** Hears that the server answered 401; true when another try with fresh credentials may help. */
  refuseCredentials?(request: HttpRequest): boolean;
  /** What an answer means, for all recipients of the shipment or for each of them. */
  judge(answer: Answer, facts: { shipment: Shipment; nowMs: number }): Outcome | readonly Outcome[];
}

/** What every transport to an API needs besides its own configuration. */
export interface ProviderOptions {
  /** The name of the transport in the config file. */
  readonly name: string;
  readonly fetch: HttpFetch;
  /** The proxy that `fetch` goes through, for reports; absent without one. */
  readonly via?: string;
  readonly clock: Clock;
  /** The time for one request and its answer; five minutes where not given. */
  readonly timeoutMs?: number;
  readonly maxConcurrency?: number;
  /** Where new refresh tokens are kept; absent keeps them as long as the transport. */
  readonly refreshTokens?: RefreshTokens;
}

// SparkPost asks its clients for 300 s; a shorter time makes duplicates where an API is slow.
const DEFAULT_TIMEOUT_MS = 300_000;
const DEFAULT_CONCURRENCY = 10;

/** A way out through an HTTP API. */
export class HttpTransport implements Transport {
  readonly name: string;
  readonly kind: string;
  readonly maxConcurrency: number;
  readonly maxRecipients: number;
  readonly sharedDestination: string;
  readonly #provider: Provider;
  readonly #options: ProviderOptions;

  constructor(provider: Provider, options: ProviderOptions) {
    this.name = options.name;
    this.kind = provider.kind;
    this.maxConcurrency = options.maxConcurrency ?? provider.maxConcurrency ?? DEFAULT_CONCURRENCY;
    this.maxRecipients = provider.maxRecipients;
    this.sharedDestination = provider.baseUrl.host;
    this.#provider = provider;
    this.#options = options;
  }

  /** The API takes mail for every domain. */
  destinationOf(_domain: string): string {
    return this.sharedDestination;
  }

  async deliver(
    job: DeliveryJob,
    { signal, rawOnly = false }: DeliverOptions,
  ): Promise<DeliveryReport> {
    const broken = brokenPromise(job.message, { api: this.kind });
    if (broken !== null) return refusal(job, { reply: broken });
    const plan = await this.#provider.plan(job);
    if (plan.kind === "unsuitable") return refusal(job, plan);
    const losses = plan.losses ?? [];
    if (rawOnly && losses.length > 0) {
      // RFC 3463 X.6.2: conversion required and prohibited
      const { reply } = outcomeOf({ verdict: "unsuitable", enhanced: "5.6.2" }, {
        text: `${this.kind} cannot carry it unchanged: ${
          losses.map(({ what }) => what).join(", ")
        }`,
      });
      return refusal(job, { reply, losses });
    }
    const dialogue = new HttpTranscript();
    const { outcomes, rate } = await this.#send(plan.shipments, {
      ...{ job, signal, dialogue, mayDivide: this.#provider.namesRefused !== true },
    });
    return {
      outcomes: job.recipients.map((recipient) =>
        named(outcomes.get(recipient) ?? UNPLANNED, this.kind)
      ),
      remote: remoteOf(this.#provider.baseUrl, this.#options),
      ...securityOf(this.#provider.baseUrl),
      ...(losses.length === 0 ? {} : { losses }),
      ...(rate === null ? {} : { rate }),
      dialogue,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** One after the other; when the API itself is in trouble the rest is not tried. */
  async #send(
    shipments: readonly Shipment[],
    call: Call,
  ): Promise<{ outcomes: Map<JobRecipient, Outcome>; rate: RateAllowance | null }> {
    const outcomes = new Map<JobRecipient, Outcome>();
    let rate: RateAllowance | null = null;
    let trouble: Outcome | null = null;
    for (const shipment of shipments) {
      const { results, allowance }: ShipmentResult = trouble === null
        ? await orInternalError(() => this.#shipOrDivide(shipment, call), outcomes.size > 0)
        : { results: trouble, allowance: null };
      rate = allowance ?? rate;
      shipment.recipients.forEach((recipient, index) =>
        outcomes.set(recipient, isList(results) ? results[index] ?? unnamed(recipient) : results)
      );
      trouble ??= troubleOf(results);
    }
    return { outcomes, rate };
  }

  /** Where it is not said whom a refusal is about, this is found out. */
  async #shipOrDivide(shipment: Shipment, call: Call): Promise<ShipmentResult> {
    const { recipients } = shipment;
    const { results: refusal, allowance } = await this.#ship(shipment, call);
    if (!call.mayDivide || isList(refusal) || !mayConcernOne(refusal, recipients)) {
      return { results: refusal, allowance };
    }
    const results = await divide(recipients, {
      refusal,
      sendTo: async (some) => {
        const { results } = await orInternalError(async () => {
          const plan = await this.#provider.plan({ ...call.job, recipients: some });
          if (plan.kind === "unsuitable") return { results: refusal, allowance: null };
          const { outcomes } = await this.#send(plan.shipments, { ...call, mayDivide: false });
          return { results: some.map((one) => outcomes.get(one) ?? UNPLANNED), allowance: null };
        }, true);
        return isList(results) ? results : some.map(() => results);
      },
    });
    return { results, allowance };
  }

  async #ship(shipment: Shipment, call: Call): Promise<ShipmentResult> {
    const first = await this.#request(shipment, call);
    if (first.kind === "retry") return (await this.#request(shipment, call)).result;
    return first.result;
  }

  async #request(
    shipment: Shipment,
    { signal, dialogue }: Call,
  ): Promise<{ kind: "done" | "retry"; result: ShipmentResult }> {
    const authorized = await this.#provider.authorize?.(shipment.request) ??
      { kind: "request", request: shipment.request };
    if (authorized.kind === "failed") return done(authorized.outcome);
    const { clock, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const result = await exchange(this.#options, authorized.request, { signal, timeoutMs });
    dialogue.add(authorized.request, result);
    if (result.kind === "failed") {
      return done(outcomeOfFailure(result, { host: this.#provider.baseUrl.host }));
    }
    const { answer } = result;
    const nowMs = clock.now();
    const judged = this.#judge(answer, { shipment, nowMs });
    const results = isList(judged)
      ? judged.map((outcome) => standing(outcome, answer.status))
      : standing(judged, answer.status);
    const mayRetry = answer.status === 401 &&
      (this.#provider.refuseCredentials?.(authorized.request) ?? false);
    const allowance = rateAllowance(answer.headers, nowMs);
    return { kind: mayRetry ? "retry" : "done", result: { results, allowance } };
  }

  /** A bug in what reads an answer must not send a message again that was taken. */
  #judge(
    answer: Answer,
    facts: { shipment: Shipment; nowMs: number },
  ): Outcome | readonly Outcome[] {
    try {
      return this.#provider.judge(answer, facts);
    } catch (error) {
      if (answer.status < 200 || answer.status >= 300) return internalError(error);
      const reason = error instanceof Error ? error.message : String(error);
      const text =
        `${this.kind} answered ${answer.status}, but the answer could not be read: ${reason}`;
      return outcomeOf("uncertain", { text });
    }
  }
}

/** Says what a step came to that others of the same message came before, whatever it throws. */
async function orInternalError(
  step: () => Promise<ShipmentResult>,
  isLater: boolean,
): Promise<ShipmentResult> {
  try {
    return await step();
  } catch (error) {
    if (!isLater) throw error;
    return { results: internalError(error), allowance: null };
  }
}

function internalError(error: unknown): Outcome {
  const reason = error instanceof Error ? error.message : String(error);
  return outcomeOf("temporary", { text: `Internal error: ${reason}` });
}

/**
 * The outcomes of a shipment from an answer that names recipients. One that it does not name is
 * not known to have been taken.
 */
export function forEachRecipient(
  { recipients }: Shipment,
  results: readonly { readonly address: string; readonly outcome: Outcome }[],
): Outcome[] {
  const byKey = new Map<string, Outcome>();
  for (const { address, outcome } of results) byKey.set(mailboxKey(address), outcome);
  return recipients.map((recipient) =>
    byKey.get(mailboxKey(apiAddress(recipient))) ?? unnamed(recipient)
  );
}

/** The refusal of a whole job that was not sent. */
function refusal(
  { recipients }: DeliveryJob,
  { reply, losses }: { reply: Reply; losses?: readonly Loss[] },
): DeliveryReport {
  const outcomes = recipients.map((): Outcome => ({ kind: "unsuitable", reply }));
  return { outcomes, remote: null, tls: null, ...(losses === undefined ? {} : { losses }) };
}

/** What the requests of one attempt share. */
interface Call {
  readonly job: DeliveryJob;
  readonly signal: AbortSignal;
  readonly dialogue: HttpTranscript;
  /** Whether a refusal may be divided; its parts are not divided once more. */
  readonly mayDivide: boolean;
}

interface ShipmentResult {
  readonly results: Outcome | readonly Outcome[];
  readonly allowance: RateAllowance | null;
}

function done(outcome: Outcome): { kind: "done"; result: ShipmentResult } {
  return { kind: "done", result: { results: outcome, allowance: null } };
}

/** An outcome that the next request would only repeat. */
function troubleOf(results: Outcome | readonly Outcome[]): Outcome | null {
  if (isList(results)) return null;
  const isLimit = results.kind === "temporary" && results.counts === false;
  return results.kind === "broken" || isLimit ? results : null;
}

/** What one API calls a message may be what another calls another. */
function named(outcome: Outcome, kind: string): Outcome {
  if (outcome.kind !== "delivered" || outcome.remoteId === undefined) return outcome;
  return { ...outcome, remoteId: `${kind}:${outcome.remoteId}` };
}

/** An answer that says nothing of a recipient may mean that it was taken. */
function unnamed({ forwardPath }: JobRecipient): Outcome {
  return outcomeOf("uncertain", { text: `The answer does not mention ${forwardPath}` });
}

const UNPLANNED: Outcome = outcomeOf("temporary", {
  text: "Internal error: no request was made for this recipient",
});

/** The runtime checks certificates and tells neither version nor cipher. */
function securityOf({ protocol }: URL): Pick<DeliveryReport, "tls" | "proof"> {
  return protocol === "https:"
    ? { tls: { version: "", cipher: "" }, proof: "chain" }
    : { tls: null };
}

function remoteOf(
  { hostname, port, protocol }: URL,
  { via }: Pick<ProviderOptions, "via">,
): DeliveryReport["remote"] {
  const usual = protocol === "https:" ? 443 : 80;
  return {
    ...{ host: hostname, address: "", port: port === "" ? usual : Number(port) },
    ...(via === undefined ? {} : { via }),
  };
}

function isList(results: Outcome | readonly Outcome[]): results is readonly Outcome[] {
  return Array.isArray(results);
}
