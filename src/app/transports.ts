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
  #made = new Map<string, Made & { readonly settings: string }>();

  constructor(services: Omit<TransportServices, "fetch">) {
    this.#sharedFetch = fetchFrom({}, services);
    this.#services = { ...services, fetch: this.#sharedFetch.fetch };
  }

  get byName(): ReadonlyMap<string, Transport> {
    return new Map([...this.#made].map(([name, { transport }]) => [name, transport]));
  }

  /**
   * Makes the transports of `config`. Those that are no longer in it end when what they are
   * doing has ended; the returned promise waits for that.
   */
  use(config: Config): Promise<void> {
    const before = this.#made;
    this.#made = new Map();
    for (const [name, transportConfig] of Object.entries(config.transports)) {
      const returnPaths = returnPathSettings(config, name);
      const settings = JSON.stringify([config.hostname, transportConfig, returnPaths]);
      const kept = before.get(name);
      if (kept?.settings === settings) {
        before.delete(name);
        this.#made.set(name, kept);
        continue;
      }
      const { hostname, delivery: { downMs } } = config;
      const options = { name, hostname, downMs, services: this.#services };
      const made = make(transportConfig, options);
      const transport = withReturnPaths(made.transport, config);
      this.#made.set(name, { settings, ...made, transport });
    }
    return endAll(before.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#made.values());
    this.#sharedFetch[Symbol.dispose]();
  }
}

/** A transport, and what ends after it. */
interface Made {
  readonly transport: Transport;
  readonly ownFetch: OwnFetch | null;
}

async function endAll(made: Iterable<Made>): Promise<void> {
  await Promise.all(
    [...made].map(async ({ transport, ownFetch }) => {
      await transport[Symbol.asyncDispose]();
      ownFetch?.[Symbol.dispose]();
    }),
  );
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
function make(config: TransportConfig, making: Making): Made {
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
