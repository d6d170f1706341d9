import type { Clock } from "../base/clock.ts";
import { cutText, withoutControls } from "../mail/safe_text.ts";
import type { EventSink } from "../observe/events.ts";
import type { Network } from "../policy/network.ts";
import { StoreError } from "../queue/store.ts";
import { clientAddress } from "./client_address.ts";
import type { Receiver } from "./receiver.ts";
import { requestBody } from "./request_body.ts";
import type { EventSource } from "./source.ts";

/** Below it each source has its name. */
export const EVENTS_PATH = "/events/";

/** SendGrid's batches are below 1 MiB, and nobody else's requests are longer. */
const LIMIT_BYTES = 2 * 1024 * 1024;
/** Requests at work at once; with the limit above they bound the memory. */
const MOST_AT_ONCE = 16;
const BUSY_SECONDS = 5;
/** Providers send a body at once; who holds it back keeps others out. */
const BODY_TIMEOUT_MS = 10_000;

/** How often somebody may be wrong; see `FailureLimit` of the admin's guard. */
export interface Failures {
  waitMs(address: string): number;
  fail(address: string): void;
}

export interface EventsAppOptions {
  readonly sources: readonly EventSource[];
  readonly receiver: Pick<Receiver, "receive">;
  readonly failures: Failures;
  /** Whose X-Forwarded-For is believed. */
  readonly proxies: readonly Network[];
  readonly clock: Clock;
  readonly events: EventSink;
}

/**
 * Takes webhooks of providers. It answers 200 once everything that a request tells is on disk,
 * and tells nobody why a request was refused but the log.
 */
export class EventsApp {
  readonly #options: EventsAppOptions;
  readonly #sources: ReadonlyMap<string, EventSource>;
  #atWork = 0;

  constructor(options: EventsAppOptions) {
    this.#options = options;
    this.#sources = new Map(options.sources.map((source) => [source.name, source]));
  }

  /** Answers one request. `peer` is the address that it came from. */
  async fetch(request: Request, { peer }: { peer: string }): Promise<Response> {
    const source = this.#sourceOf(request.url);
    if (source === null) return await refusal(request, 404);
    if (request.method !== "POST") return await refusal(request, 405, { allow: "POST" });
    const { failures, proxies } = this.#options;
    const address = clientAddress(request.headers, { peer, proxies });
    const waitMs = failures.waitMs(address);
    if (waitMs > 0) return await refusal(request, 429, wait(Math.ceil(waitMs / 1000)));
    if (this.#atWork >= MOST_AT_ONCE) return await refusal(request, 503, wait(BUSY_SECONDS));
    this.#atWork += 1;
    try {
      return await this.#receive(request, { source, address });
    } finally {
      this.#atWork -= 1;
    }
  }

  async #receive(
    request: Request,
    { source, address }: { source: EventSource; address: string },
  ): Promise<Response> {
    const { headers } = request;
    const { clock, failures, receiver } = this.#options;
    const limits = { limitBytes: LIMIT_BYTES, timeoutMs: BODY_TIMEOUT_MS, clock };
    try {
      const body = await requestBody(request, limits);
      if (body.kind === "late") failures.fail(address);
      if (body.kind !== "read") return new Response(null, { status: UNREAD[body.kind] });
      const reception = await receiver.receive(source, { headers, body: body.octets });
      if (reception.kind === "taken") return new Response(null, { status: 200 });
      const { kind, why } = reception;
      if (kind === "forged") failures.fail(address);
      this.#warn(`${source.name} refused a request from ${address}: ${shown(why)}`);
      return new Response(null, { status: STATUSES[kind] });
    } catch (cause) {
      // What was not stored is told again; a fault of ours is no reason for a provider to stop.
      const what = cause instanceof StoreError ? "store" : "read";
      this.#warn(`${source.name} could not ${what} a request`, cause);
      return new Response(null, { status: 503, headers: wait(BUSY_SECONDS) });
    }
  }

  #sourceOf(address: string): EventSource | null {
    const { pathname } = new URL(address);
    if (!pathname.startsWith(EVENTS_PATH)) return null;
    return this.#sources.get(decoded(pathname.slice(EVENTS_PATH.length))) ?? null;
  }

  #warn(message: string, cause?: unknown): void {
    this.#options.events({
      ...{ type: "trouble", level: "warning", component: "provider_events", message },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

const UNREAD = { too_long: 413, late: 408 } as const;

const LONGEST_WHY_CHARS = 200;

/** Some of it may be the words of the request, which may be anybody's. */
function shown(why: string): string {
  return cutText(withoutControls(why), LONGEST_WHY_CHARS);
}

/** Providers try again after all of them but 401, some after that, too. */
const STATUSES = { forged: 401, malformed: 400, undecided: 503 } as const;

async function refusal(
  request: Request,
  status: number,
  headers: Record<string, string> = {},
): Promise<Response> {
  await request.body?.cancel();
  return new Response(null, { status, headers });
}

function wait(seconds: number): Record<string, string> {
  return { "retry-after": String(seconds) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
