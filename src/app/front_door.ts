import { formatEndpoint } from "../net/endpoint.ts";
import type { Conn } from "../net/conn.ts";
import { listen, type Listener } from "../net/listener.ts";
import type { EventSink } from "../observe/events.ts";
import { clientKey } from "../policy/limits/client_key.ts";
import { UsageLimits, type UsageRules } from "../policy/limits/usage_limits.ts";
import type { ClientChange } from "../smtp/server/context.ts";
import { receptionPolicy } from "../reception/policy.ts";
import type { ReceptionRules } from "../reception/rules.ts";
import { countingEvents } from "../reception/usage_events.ts";
import { SmtpServer, type SmtpServerOptions } from "../smtp/server/server.ts";
import type { ListenerConfig } from "../config/sections/listeners.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { CONNECTIONS_TO_REFUSE } from "./descriptors.ts";
import { listenerExtensions, listenerServices, type SharedServices } from "./listener_services.ts";
import { networkOf } from "./policy.ts";
import { ProxyGate } from "./proxy_gate.ts";
import { StoreGuard } from "./store_guard.ts";

/** What serves the sessions of one listener, from the configuration in force. */
export type ServerSettings = Omit<SmtpServerOptions, "listener" | "policy" | "limits"> & {
  /** What all listeners judge mail by; each adds what it counts itself. */
  readonly rules: ReceptionRules;
  readonly shared: SharedServices;
  readonly limits: NonNullable<SmtpServerOptions["limits"]>;
  /** What clients may do in a time. */
  readonly usage: UsageRules;
};

/**
 * One listening socket and the sessions that came through it. A reload gives sessions that begin
 * later other settings; those under way end with the ones they began with.
 */
export class FrontDoor {
  readonly #events: EventSink;
  readonly #clock: Clock;
  readonly #store: StoreGuard;
  readonly #usage = new UsageLimits();
  readonly #proxies: ProxyGate;
  readonly #perClient = new Map<string, number>();
  /** Whether the last header of a balancer was missing, which is told once. */
  #headerMissing = false;
  readonly #earlier = new Set<SmtpServer>();
  #config: ListenerConfig;
  #connections = 0;
  #rules: ReceptionRules;
  #server: SmtpServer;
  #listener: Listener | null = null;

  constructor(config: ListenerConfig, settings: ServerSettings) {
    this.#events = settings.events;
    this.#clock = settings.clock ?? systemClock;
    this.#store = new StoreGuard(settings.sink, this.#clock);
    this.#config = config;
    this.#proxies = new ProxyGate({
      onConn: (conn) => this.#serveForwarded(conn),
      onRefused: (conn, reason) => this.#withoutHeader(conn, reason),
      onBug: this.#onBug,
    });
    this.#rules = this.#rulesOf(settings);
    this.#server = this.#makeServer(settings);
  }

  get config(): ListenerConfig {
    return this.#config;
  }

  /** What new sessions are judged by. */
  get rules(): ReceptionRules {
    return this.#rules;
  }

  /** The port it listens on; null before `open`. */
  get port(): number | null {
    return this.#listener?.local.port ?? null;
  }

  get sessions(): number {
    return this.#connections;
  }

  /**
   * Starts accepting.
   *
   * @throws ListenError when it cannot listen there.
   */
  async open(): Promise<void> {
    const { name, address, port } = this.#config;
    this.#listener = await listen({ address, port }, {
      onConn: (conn) => this.#admit(conn),
      onError: (cause) => this.#trouble("Cannot accept connections for now", cause),
    });
    this.#events({
      type: "listening",
      listener: name,
      address: formatEndpoint(this.#listener.local),
    });
  }

  /** Serves sessions that begin from now on with other settings. */
  reload(config: ListenerConfig, settings: ServerSettings): void {
    this.#earlier.add(this.#server);
    this.#config = config;
    this.#rules = this.#rulesOf(settings);
    this.#server = this.#makeServer(settings);
    this.#forgetEarlier();
  }

  /** Stops accepting; sessions go on. */
  close(): void {
    this.#listener?.stop();
  }

  /** Stops accepting and ends sessions as `SmtpServer.shutdown` does. */
  async shutdown({ signal }: { signal: AbortSignal }): Promise<void> {
    this.close();
    const servers = [...this.#earlier, this.#server];
    await this.#proxies[Symbol.asyncDispose]();
    await Promise.all(servers.map((server) => server.shutdown({ signal })));
    await this.#listener?.[Symbol.asyncDispose]();
  }

  #makeServer({ rules: _, limits, usage, shared, ...settings }: ServerSettings): SmtpServer {
    const { name, ...config } = this.#config;
    this.#usage.rules = usage;
    this.#proxies.balancers = config.proxyProtocol.map(networkOf);
    return new SmtpServer({
      ...settings,
      services: listenerServices(this.#config, shared),
      extensions: listenerExtensions(this.#config),
      sink: this.#store,
      events: countingEvents(settings.events, { usage: this.#usage, clock: this.#clock }),
      listener: name,
      onClientChange: this.#onClientChange,
      onSessionEnd: this.#onSessionEnd,
      limits: {
        ...limits,
        commandTimeoutMs: config.idleTimeoutMs,
        dataTimeoutMs: config.dataTimeoutMs,
        sessionTimeoutMs: config.sessionTimeoutMs,
        greetDelayMs: config.greetDelayMs,
      },
      policy: receptionPolicy(this.#rules),
    });
  }

  #admit(conn: Conn): void {
    // Those above the cap hear 421, which takes them a moment; a flood of them hears nothing.
    const most = this.#config.maxConnections + CONNECTIONS_TO_REFUSE;
    if (this.#connections >= most) return conn.close();
    this.#connections++;
    if (this.#proxies.expects(conn)) this.#proxies.admit(conn);
    else this.#serve(conn);
  }

  #serve(conn: Conn): void {
    this.#enter(conn.remote.address);
    // No frame waits here for the end of the session: thousands of them are idle.
    this.#server.serve(conn).catch(this.#onBug);
  }

  #serveForwarded(conn: Conn): void {
    this.#headerMissing = false;
    this.#serve(conn);
  }

  #withoutHeader({ remote }: Conn, reason: string): void {
    this.#connections--;
    if (this.#headerMissing) return; // health checks would fill the log
    this.#headerMissing = true;
    const message = `Cannot serve a client of load balancer ${remote.address}: ${reason}`;
    this.#events({ type: "trouble", level: "warning", component: "smtp", message });
  }

  readonly #onBug = (cause: unknown): void =>
    this.#trouble("Cannot serve a session: internal error", cause);

  readonly #onClientChange = ({ fromAddress, toAddress }: ClientChange): void => {
    this.#leave(fromAddress);
    this.#enter(toAddress);
  };

  readonly #onSessionEnd = ({ clientAddress }: { readonly clientAddress: string }): void => {
    this.#connections--;
    this.#leave(clientAddress);
    this.#forgetEarlier();
  };

  #enter(clientAddress: string): void {
    const key = clientKey(clientAddress);
    this.#perClient.set(key, (this.#perClient.get(key) ?? 0) + 1);
  }

  #leave(clientAddress: string): void {
    const key = clientKey(clientAddress);
    const left = (this.#perClient.get(key) ?? 1) - 1;
    if (left === 0) this.#perClient.delete(key);
    else this.#perClient.set(key, left);
  }

  /** The rules of the relay with what this listener counts. */
  #rulesOf({ rules }: ServerSettings): ReceptionRules {
    const { maxConnections, maxConnectionsPerAddress: maxPerClient, xclient } = this.#config;
    const count = (): number => this.#connections;
    return {
      ...rules,
      clock: this.#clock,
      usage: this.#usage,
      store: this.#store,
      proxies: xclient.map(networkOf),
      connections: {
        ...{ maxConnections, maxPerClient },
        get count() {
          return count();
        },
        countOf: (clientAddress) => this.#perClient.get(clientKey(clientAddress)) ?? 0,
      },
    };
  }

  #forgetEarlier(): void {
    for (const server of this.#earlier) if (server.sessions === 0) this.#earlier.delete(server);
  }

  #trouble(message: string, cause: unknown): void {
    this.#events({ type: "trouble", level: "error", component: "smtp", message, cause });
  }
}
