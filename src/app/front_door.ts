import { formatEndpoint } from "../net/endpoint.ts";
import type { Conn } from "../net/conn.ts";
import { listen, type Listener } from "../net/listener.ts";
import { reply } from "../mail/reply.ts";
import type { EventSink } from "../observe/events.ts";
import { type Decision, refuse } from "../policy/decision.ts";
import type { ServerPolicy, SessionFacts } from "../smtp/server/policy.ts";
import { SmtpServer, type SmtpServerOptions } from "../smtp/server/server.ts";
import type { ListenerConfig } from "../config/sections/listeners.ts";

/** What serves the sessions of one listener, from the configuration in force. */
export type ServerSettings = Omit<SmtpServerOptions, "listener" | "policy" | "limits"> & {
  readonly policy: ServerPolicy;
  readonly limits: NonNullable<SmtpServerOptions["limits"]>;
};

const TOO_MANY = reply(421, "4.3.2", "Too many connections, try again later");
const TOO_MANY_OF_YOURS = reply(421, "4.7.0", "Too many connections from your address");

/**
 * One listening socket and the sessions that came through it. A reload gives sessions that begin
 * later other settings; those under way end with the ones they began with.
 */
export class FrontDoor {
  readonly #events: EventSink;
  readonly #perAddress = new Map<string, number>();
  readonly #earlier = new Set<SmtpServer>();
  #config: ListenerConfig;
  #connections = 0;
  #server: SmtpServer;
  #listener: Listener | null = null;

  constructor(config: ListenerConfig, settings: ServerSettings) {
    this.#events = settings.events;
    this.#config = config;
    this.#server = this.#makeServer(settings);
  }

  get config(): ListenerConfig {
    return this.#config;
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
    await Promise.all(servers.map((server) => server.shutdown({ signal })));
    await this.#listener?.[Symbol.asyncDispose]();
  }

  #makeServer({ policy, limits, ...settings }: ServerSettings): SmtpServer {
    const { name, ...config } = this.#config;
    return new SmtpServer({
      ...settings,
      listener: name,
      onSessionEnd: this.#onSessionEnd,
      limits: {
        ...limits,
        commandTimeoutMs: config.idleTimeoutMs,
        dataTimeoutMs: config.dataTimeoutMs,
        sessionTimeoutMs: config.sessionTimeoutMs,
        greetDelayMs: config.greetDelayMs,
      },
      policy: { ...policy, connect: (facts) => this.#judge(facts, policy) },
    });
  }

  #admit(conn: Conn): void {
    const { address } = conn.remote;
    this.#connections++;
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    // No frame waits here for the end of the session: thousands of them are idle.
    this.#server.serve(conn).catch(this.#onBug);
  }

  readonly #onBug = (cause: unknown): void =>
    this.#trouble("Cannot serve a session: internal error", cause);

  readonly #onSessionEnd = ({ clientAddress }: { readonly clientAddress: string }): void => {
    this.#connections--;
    const left = (this.#perAddress.get(clientAddress) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(clientAddress);
    else this.#perAddress.set(clientAddress, left);
    this.#forgetEarlier();
  };

  /** RFC 5321 3.1: a server that cannot serve says 421 instead of 220. */
  #judge(facts: SessionFacts, policy: ServerPolicy): Decision | Promise<Decision> {
    const { maxConnections, maxConnectionsPerAddress } = this.#config;
    if (this.#connections > maxConnections) return refuse(TOO_MANY);
    const count = this.#perAddress.get(facts.clientAddress) ?? 0;
    if (count > maxConnectionsPerAddress) return refuse(TOO_MANY_OF_YOURS);
    return policy.connect(facts);
  }

  #forgetEarlier(): void {
    for (const server of this.#earlier) if (server.sessions === 0) this.#earlier.delete(server);
  }

  #trouble(message: string, cause: unknown): void {
    this.#events({ type: "trouble", level: "error", component: "smtp", message, cause });
  }
}
