import type { Config } from "../config/schema.ts";
import type {
  SmtpConfig,
  TransportConfig,
  TransportTimeouts,
} from "../config/sections/transports.ts";
import type { AuthConfig } from "../config/sections/transport_auth.ts";
import type { ProxyConfig } from "../config/sections/transport_proxy.ts";
import type { RelayTransportConfig } from "../config/sections/transport_relay.ts";
import { LmtpTransport } from "../delivery/lmtp.ts";
import { MxTransport } from "../delivery/mx.ts";
import { SmarthostTransport } from "../delivery/smarthost.ts";
import { formatProxy } from "../delivery/smtp/dialer.ts";
import type { Login, SmtpTransportOptions } from "../delivery/smtp/options.ts";
import type { Transport } from "../delivery/transport.ts";
import { fetchFrom, type OwnFetch } from "../net/http_fetch.ts";
import { createRelay } from "../relay/mod.ts";
import { returnPathSettings, withReturnPaths } from "./return_paths.ts";
import { makeLogin, type TransportServices } from "./server_login.ts";
import { mxTlsRules, tlsRules } from "./tls_rules.ts";
import type { StageTimeouts } from "../smtp/client/stage.ts";

/**
 * The transports of a configuration by name. A reload keeps those whose settings did not change,
 * with their connections and what is known of their destinations.
 */
export class TransportSet implements AsyncDisposable {
  readonly #services: TransportServices;
  /** For those without a proxy and without an address of their own. */
  readonly #sharedFetch: OwnFetch;
  #made: ReadonlyMap<string, Made> = new Map();

  constructor(services: Omit<TransportServices, "fetch">) {
    this.#sharedFetch = fetchFrom({}, services);
    this.#services = { ...services, fetch: this.#sharedFetch.fetch };
  }

  get byName(): ReadonlyMap<string, Transport> {
    return byName(this.#made);
  }

  /**
   * Makes the transports of `config` that are not there yet, all or none of them; nothing else
   * changes before the plan is used. One plan is used or discarded before the next is made.
   *
   * @throws RangeError, or as a part of a transport does that cannot be made.
   */
  plan(config: Config): TransportPlan {
    const before = this.#made;
    const planned = new Map<string, Made>();
    try {
      for (const name of Object.keys(config.transports)) {
        planned.set(name, this.#keptOrMade(name, config));
      }
    } catch (error) {
      this.#endThose(added(planned, before));
      throw error;
    }
    return {
      byName: byName(planned),
      use: () => {
        this.#made = planned;
        return this.#endThose(added(before, planned));
      },
      discard: () => this.#endThose(added(planned, before)),
    };
  }

  #keptOrMade(name: string, config: Config): Made {
    const transportConfig = config.transports[name];
    if (transportConfig === undefined) throw new RangeError(`Cannot find transport ${name}`);
    const { hostname, delivery: { downMs } } = config;
    const settings = JSON.stringify([hostname, transportConfig, returnPathSettings(config, name)]);
    const kept = this.#made.get(name);
    if (kept?.settings === settings) return kept;
    const made = make(transportConfig, { name, hostname, downMs, services: this.#services });
    return { settings, ...made, transport: withReturnPaths(made.transport, config) };
  }

  /** Never throws: one that cannot end is reported, and the others end all the same. */
  async #endThose(made: readonly Made[]): Promise<void> {
    const ends = await Promise.allSettled(made.map(endOne));
    for (const end of ends) {
      if (end.status === "rejected") this.#services.onError(end.reason);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endThose([...this.#made.values()]);
    this.#sharedFetch[Symbol.dispose]();
  }
}

/** The transports of a configuration that is not in force yet. */
export interface TransportPlan {
  readonly byName: ReadonlyMap<string, Transport>;
  /**
   * Puts them in force. Transports that are not among them end when what they are doing has ended;
   * the promise waits for that.
   */
  use(): Promise<void>;
  /** Ends those that were made for it. */
  discard(): Promise<void>;
}

/** A transport, and what ends after it. */
interface New {
  readonly transport: Transport;
  readonly ownFetch: OwnFetch | null;
}

/** One in force, with the settings it was made of. */
interface Made extends New {
  readonly settings: string;
}

/** What one set has and the other has not. */
function added(
  set: ReadonlyMap<string, Made>,
  other: ReadonlyMap<string, Made>,
): readonly Made[] {
  return [...set].filter(([name, made]) => other.get(name) !== made).map(([, made]) => made);
}

function byName(set: ReadonlyMap<string, Made>): ReadonlyMap<string, Transport> {
  return new Map([...set].map(([name, { transport }]) => [name, transport]));
}

async function endOne({ transport, ownFetch }: Made): Promise<void> {
  try {
    await transport[Symbol.asyncDispose]();
  } finally {
    ownFetch?.[Symbol.dispose]();
  }
}

/** What transports are made with. */
interface Making {
  readonly name: string;
  readonly hostname: string;
  /** How long a destination is left alone after its first failure. */
  readonly downMs: number;
  readonly services: TransportServices;
}

const MAX_FAILURE_MEMORY_MS = 15_000;

/**
 * How long an address that failed is passed over: less than until the first probe, which would
 * only be told of the failure before it otherwise.
 */
function failureMemoryMs({ downMs }: Making): number {
  return Math.min(downMs / 2, MAX_FAILURE_MEMORY_MS);
}

/** What a transport asks of HTTP, tokens among it, goes the way of its mail. */
function make(config: TransportConfig, making: Making): New {
  const { services } = making;
  const ownFetch = ownFetchOf(config, services);
  const own = ownFetch === null ? services : { ...services, fetch: ownFetch.fetch };
  return { transport: makeTransport(config, { ...making, services: own }), ownFetch };
}

/** Null where nothing is asked for, so that connections are shared. */
function ownFetchOf(
  { proxy, sourceAddresses }: TransportConfig,
  { clock }: TransportServices,
): OwnFetch | null {
  if (proxy === null && sourceAddresses === null) return null;
  const [localAddress] = sourceAddresses ?? [];
  return fetchFrom({
    ...(proxy === null ? {} : { proxy: { ...proxyOf(proxy), address: proxy.host } }),
    ...(localAddress === undefined ? {} : { localAddress }),
  }, { clock });
}

function proxyOf({ credentials, ...proxy }: ProxyConfig) {
  return { ...proxy, ...(credentials === null ? {} : { credentials }) };
}

function makeTransport(config: TransportConfig, making: Making): Transport {
  switch (config.type) {
    case "mx":
      return new MxTransport({
        ...smtpOptions(config, making),
        port: config.port,
        ownNames: [making.hostname],
        tls: mxTlsRules(config),
      });
    case "smarthost":
      return new SmarthostTransport({
        ...smtpOptions(config, making),
        hosts: config.hosts,
        ...(config.srv === null ? {} : { srv: config.srv }),
        selection: config.selection,
        tls: tlsRules(config.tls),
        ...loginOptions(config, making.services),
      });
    case "lmtp":
      return new LmtpTransport({
        ...smtpOptions(config, making),
        servers: config.servers,
        tls: tlsRules(config.tls),
        ...loginOptions(config, making.services),
      });
    default:
      return makeRelay(config, making);
  }
}

function makeRelay(config: RelayTransportConfig, { name, services }: Making): Transport {
  const { type, provider: table, timeoutMs, maxConcurrency, proxy } = config;
  const made = createRelay({ type, table }, {
    ...{ name, timeoutMs, fetch: services.fetch, clock: services.clock },
    refreshTokens: services.refreshTokens,
    ...(proxy === null ? {} : { via: formatProxy(proxy) }),
    ...(maxConcurrency === null ? {} : { maxConcurrency }),
  });
  if (made.kind === "created") return made.transport;
  throw new RangeError(`Cannot make transport ${name}: ${made.error.message}`);
}

function loginOptions(
  { auth }: { readonly auth: AuthConfig | null },
  services: TransportServices,
): { readonly login?: Login } {
  return auth === null ? {} : { login: makeLogin(auth, services) };
}

function smtpOptions(
  config: SmtpConfig,
  making: Making,
): SmtpTransportOptions {
  const { name, hostname, services } = making;
  const { sourceAddresses, proxy } = config;
  return {
    name,
    services,
    heloName: config.helo ?? hostname,
    connectTimeoutMs: config.timeouts.connectMs,
    timeoutsMs: stageTimeouts(config.timeouts),
    ...(sourceAddresses === null ? {} : { localAddresses: sourceAddresses }),
    ...(proxy === null ? {} : { proxy: { ...proxyOf(proxy), resolves: config.proxyResolves } }),
    addressOrder: config.addressOrder,
    maxAddresses: config.maxAddresses,
    failureMemoryMs: failureMemoryMs(making),
    maxConcurrency: config.maxConcurrency,
    maxRecipients: config.maxRecipients,
    converts: config.converts,
    ignoredExtensions: new Set(config.ignoredExtensions),
    reuse: {
      maxMessages: config.maxMessagesPerConnection,
      maxAgeMs: config.maxConnectionAgeMs,
      maxIdleMs: config.connectionIdleMs,
    },
  };
}

function stageTimeouts(timeouts: TransportTimeouts): StageTimeouts {
  return {
    greeting: timeouts.greetingMs,
    hello: timeouts.helloMs,
    starttls: timeouts.starttlsMs,
    auth: timeouts.authMs,
    mail: timeouts.mailMs,
    rcpt: timeouts.rcptMs,
    data: timeouts.dataMs,
    body: timeouts.bodyMs,
    dot: timeouts.dotMs,
    rset: timeouts.rsetMs,
    quit: timeouts.quitMs,
  };
}
