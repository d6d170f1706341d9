import { addressOf } from "../admin/env.ts";
import { FailureLimit } from "../admin/guard/rate_limit.ts";
import type { Clock } from "../base/clock.ts";
import type { ProviderEventsConfig } from "../config/sections/provider_events.ts";
import type { FeedbackDesk } from "../feedback/desk.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import type { EventSink } from "../observe/events.ts";
import type { EventsApp } from "../provider_events/app.ts";
import type { QueueStore } from "../queue/store.ts";
import { networkOf } from "./policy.ts";
import { isSame } from "./restart_needs.ts";
import { type ServedApp, serveHttp } from "./serve_http.ts";

const SERVED = { what: "the address for provider events", component: "provider_events" };

/** What the site needs and whom it tells. */
export interface ProviderEventsSiteOptions {
  readonly store: QueueStore;
  readonly desk: FeedbackDesk;
  readonly clock: Clock;
  readonly events: EventSink;
  /** For certificates and confirmations; the runtime's where not given. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * Where providers tell what became of messages. It has an address of its own, as it has to be
 * reached from outside, where the admin API does not belong. Without sources nothing of it is
 * even loaded.
 */
export class ProviderEventsSite {
  readonly #options: ProviderEventsSiteOptions;
  #config: ProviderEventsConfig | null = null;
  #app: EventsApp | null = null;
  #server: ServedApp | null = null;

  constructor(options: ProviderEventsSiteOptions) {
    this.#options = options;
  }

  /** Loads what a configuration needs, before the doors open: later there may be no descriptor. */
  async load({ sources }: ProviderEventsConfig): Promise<void> {
    if (sources.length > 0) await loadModules();
  }

  /**
   * Uses a configuration; the first opens it, the later ones keep its address open where they can.
   *
   * @throws ListenError when it cannot listen there.
   */
  async use(config: ProviderEventsConfig): Promise<void> {
    if (isSame(config, this.#config)) return;
    const { sources } = config;
    const isMoved = this.#config === null || !isSame(placeOf(this.#config), placeOf(config));
    if (isMoved || sources.length === 0) await this.#close();
    this.#config = null; // until it is used in full
    this.#app = sources.length === 0 ? null : await this.#makeApp(config);
    if (this.#app !== null) this.#server ??= await this.#listen(config);
    this.#config = config;
  }

  /** Ends it, with what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.[Symbol.asyncDispose]();
  }

  async #makeApp({ sources, proxies }: ProviderEventsConfig): Promise<EventsApp> {
    const { store, desk, clock, events, fetch = globalThis.fetch } = this.#options;
    const [{ EventsApp }, { Receiver }, { createSource }] = await loadModules();
    const services = { shelf: store.shelf, fetch, clock, events };
    return new EventsApp({
      sources: sources.map((settings) => createSource(settings, services)),
      receiver: new Receiver({ store, desk, clock }),
      failures: new FailureLimit({ clock }),
      proxies: proxies.map(networkOf),
      ...{ clock, events },
    });
  }

  async #listen(config: ProviderEventsConfig): Promise<ServedApp> {
    const { address, port, tls, maxConnections, maxConnectionsPerAddress } = config;
    const { events } = this.#options;
    const server = await serveHttp({
      fetch: (request, { peer }) => this.#answer(request, addressOf(peer)),
    }, {
      at: { address, port },
      caps: { maxConnections, maxConnectionsPerAddress },
      events,
      served: { ...SERVED, ...(tls === null ? {} : { tls }) },
    });
    const local = "path" in server.local ? server.local.path : formatEndpoint(server.local);
    events({ type: "listening", listener: SERVED.component, address: local });
    return server;
  }

  #answer(request: Request, peer: string): Response | Promise<Response> {
    return this.#app?.fetch(request, { peer }) ?? new Response(null, { status: 404 });
  }
}

function loadModules() {
  return Promise.all([
    import("../provider_events/app.ts"),
    import("../provider_events/receiver.ts"),
    import("../provider_events/sources.ts"),
  ]);
}

/** What a server cannot change while it listens. */
function placeOf(config: ProviderEventsConfig) {
  const { address, port, tls, maxConnections, maxConnectionsPerAddress } = config;
  return { address, port, tls, maxConnections, maxConnectionsPerAddress };
}
