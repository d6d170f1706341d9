import type { Hono } from "hono";
import { createAdminApp } from "../../admin/app.ts";
import type { AdminEnv } from "../../admin/env.ts";
import { Access } from "../../admin/guard/access.ts";
import { LocalKey } from "../../admin/guard/local_key.ts";
import { isLoopback } from "../../admin/guard/host_check.ts";
import { FailureLimit } from "../../admin/guard/rate_limit.ts";
import type { AdminPorts } from "../../admin/ports.ts";
import { dashboard } from "../../admin/views/dashboard.tsx";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Config } from "../../config/schema.ts";
import type { AdminConfig } from "../../config/sections/admin.ts";
import { COMPAT_PATH, createCompatApp } from "../../ingress/compat/app.ts";
import type { CompatEnv } from "../../ingress/compat/request.ts";
import type { MessageSubmitter } from "../../ingress/submitter.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import { ListenError } from "../../net/listener.ts";
import type { EventSink } from "../../observe/events.ts";
import { type HttpAddress, type ServedApp, serveHttp } from "../serve_http.ts";

export interface AdminSiteOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  /** The way in for mail in the forms of providers' APIs. */
  readonly submitter: MessageSubmitter;
  /** Makes the ports, once; `access` is part of them. */
  readonly ports: (access: Access) => AdminPorts;
}

/** The admin API and the dashboard of a relay: who gets in, what is shown, and where it listens. */
export class AdminSite {
  readonly #options: AdminSiteOptions;
  readonly #access: Access;
  readonly #ports: AdminPorts;
  readonly #compat: Hono<CompatEnv>;
  #config: AdminConfig;
  #app: Hono<AdminEnv> | null = null;
  #server: ServedApp | null = null;
  #localKey: LocalKey | null = null;
  /** Servers of former addresses that still answer somebody. */
  #closing: Promise<void> = Promise.resolve();

  readonly #dataDir: string;

  constructor({ admin, dataDir }: Config, options: AdminSiteOptions) {
    this.#dataDir = dataDir;
    const { clock, random } = options;
    this.#options = options;
    this.#config = admin;
    const { tokens } = admin;
    this.#access = new Access({ path: `${dataDir}/access.json`, clock, random, tokens });
    this.#ports = options.ports(this.#access);
    const { submitter, events } = options;
    this.#compat = createCompatApp({
      ...{ submitter, events, clock, random },
      keys: {
        verify: (secret) => this.#access.keys.verify(secret),
        sharedSecret: (name) => this.#access.sharedSecret(name),
      },
      failures: new FailureLimit({ clock }),
    });
  }

  /** Where it listens; null when it does not. */
  get local(): HttpAddress | null {
    return this.#server?.local ?? null;
  }

  /**
   * Opens it, if the configuration wants it.
   *
   * @throws ListenError when it cannot listen there, or when nobody could be kept out.
   */
  async start(): Promise<void> {
    if (!this.#config.enabled) return;
    await this.#checkAccess();
    await this.#makeLocalKey();
    this.#app = this.#makeApp();
    this.#server = await this.#listen();
  }

  /**
   * Uses another configuration. Who is signed in stays so unless it changes how one gets in.
   *
   * @throws ListenError as `start` does.
   */
  async reload({ admin }: Config): Promise<void> {
    const before = this.#config;
    this.#config = admin;
    this.#access.replaceTokens(admin.tokens);
    if (JSON.stringify(guardOf(before)) === JSON.stringify(guardOf(admin))) return;
    if (JSON.stringify(addressOf(before)) !== JSON.stringify(addressOf(admin)) || !admin.enabled) {
      // It may be this server that somebody waits for an answer of.
      this.#closing = this.#close(this.#server);
      this.#server = null;
    }
    if (!admin.enabled) return;
    await this.#checkAccess();
    await this.#makeLocalKey();
    this.#app = this.#makeApp();
    this.#server ??= await this.#listen();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await Promise.all([this.#closing, this.#close(server)]);
    await this.#localKey?.[Symbol.asyncDispose]();
  }

  async #close(server: ServedApp | null): Promise<void> {
    const before = this.#closing;
    await server?.[Symbol.asyncDispose]();
    await before;
  }

  #makeApp(): Hono<AdminEnv> {
    const { clock, random, events } = this.#options;
    const { openOnLoopback, address, socket, publicOrigin, sessionLifetimeMs } = this.#config;
    return createAdminApp(this.#ports, {
      ...{ clock, random, events, sessionLifetimeMs, pages: dashboard },
      openOnLoopback: openOnLoopback && socket === null && isLoopback(address),
      ...(publicOrigin === null ? {} : { publicOrigin }),
    });
  }

  /** Providers' APIs have callers and limits of their own. */
  #appFor(request: Request): Pick<Hono<AdminEnv>, "fetch"> {
    const isCompat = new URL(request.url).pathname.startsWith(`${COMPAT_PATH}/`);
    if (isCompat) return this.#compat;
    return this.#app ?? { fetch: () => new Response(null) };
  }

  async #listen(): Promise<ServedApp> {
    const { events } = this.#options;
    const { maxConnections, maxConnectionsPerAddress } = this.#config;
    const server = await serveHttp({
      fetch: (request, env) => this.#appFor(request).fetch(request, env),
    }, {
      at: addressOf(this.#config),
      caps: { maxConnections, maxConnectionsPerAddress },
      events,
      served: { what: "the admin API", component: "admin" },
    });
    events({ type: "listening", listener: "admin", address: placeOf(server.local) });
    return server;
  }

  /** What the command line on this machine signs in with; without it, it needs another key. */
  async #makeLocalKey(): Promise<void> {
    if (this.#localKey !== null) return;
    const { random, events } = this.#options;
    try {
      this.#localKey = await LocalKey.make({ dataDir: this.#dataDir, random });
      this.#access.useLocalKey(this.#localKey.secret);
    } catch (cause) {
      const message = "Cannot write a key for the command line into the data folder";
      events({ type: "trouble", level: "warning", component: "admin", message, cause });
    }
  }

  /** Beyond this machine somebody must be able to sign in, or anybody would have to get in. */
  async #checkAccess(): Promise<void> {
    const { address, socket, openOnLoopback } = this.#config;
    if (socket !== null || await this.#access.hasCredentials()) return;
    if (!isLoopback(address)) {
      throw new ListenError("other", {
        message:
          `Cannot open the admin API on ${address}: no user or key exists to sign in with. Create ` +
          "a user or a key first, or set a token in admin.tokens",
      });
    }
    if (openOnLoopback) return;
    this.#options.events({
      type: "trouble",
      level: "warning",
      component: "admin",
      message: "No user or key exists to sign in to the admin API; only the command line on this " +
        "machine has access. Create a key with posthouse key add NAME --role admin",
    });
  }
}

function addressOf({ address, port, socket }: AdminConfig): HttpAddress {
  return socket === null ? { address, port } : { path: socket };
}

/** Everything but the tokens, which change nothing for those who are signed in. */
function guardOf({ tokens: _tokens, ...guard }: AdminConfig): Omit<AdminConfig, "tokens"> {
  return guard;
}

function placeOf(at: HttpAddress): string {
  return "path" in at ? at.path : formatEndpoint(at);
}
