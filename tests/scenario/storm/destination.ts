/** A destination in the storm: a listener that comes and goes, and its sessions. */
import type { Random } from "../../../src/base/random.ts";
import { plainConn } from "../../../src/net/plain_conn.ts";
import type { ServerTlsContext } from "../../../src/net/server_tls.ts";
import type { Climate } from "./mishaps.ts";
import { type SessionHost, StormSession } from "./session.ts";

/** How a destination is set up. */
export interface DestinationOptions {
  readonly address: string;
  readonly port: number;
  readonly extensions: readonly string[];
  readonly climate: Climate;
  readonly random: Random;
  readonly tls: ServerTlsContext;
  readonly take: SessionHost["take"];
}

const CALM: Climate = { mishaps: 0, cuts: 0, passing: true };

/** Disposing of it cuts every connection. */
export class Destination implements SessionHost, AsyncDisposable {
  readonly extensions: readonly string[];
  readonly random: Random;
  readonly tls: ServerTlsContext;
  readonly take: SessionHost["take"];
  climate: Climate;
  readonly #options: DestinationOptions;
  readonly #open = new Map<StormSession, Promise<void>>();
  #listener: Deno.TcpListener | null = null;
  #accepting: Promise<void> = Promise.resolve();

  constructor(options: DestinationOptions) {
    const { extensions, random, tls, take, climate } = options;
    this.extensions = extensions;
    this.random = random;
    this.tls = tls;
    this.take = take;
    this.climate = climate;
    this.#options = options;
    this.listen();
  }

  /** Takes connections again. */
  listen(): void {
    if (this.#listener !== null) return;
    const { address: hostname, port } = this.#options;
    this.#listener = Deno.listen({ hostname, port });
    this.#accepting = this.#accept(this.#listener);
  }

  /** Refuses connections from now on; those that exist go on. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = null;
  }

  /** Whatever was wrong here is over, for answers from now on. */
  calmDown(): void {
    this.climate = CALM;
    this.listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    for (const session of this.#open.keys()) session.close();
    await Promise.all([this.#accepting, ...this.#open.values()]);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const conn of listener) {
      const session = new StormSession(this, plainConn(conn));
      this.#open.set(session, session.run().finally(() => this.#open.delete(session)));
    }
  }
}
