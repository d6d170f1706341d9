import { TaskGroup } from "../base/task_group.ts";
import type { Conn } from "../net/conn.ts";
import { readProxyHeader } from "../net/proxied_conn.ts";
import { isInNetworks, type Network } from "../policy/network.ts";

/** A balancer sends its header at once (proxy-protocol.txt section 2). */
const HEADER_TIMEOUT_MS = 5_000;

/** What becomes of a connection from a balancer. */
export interface ProxyGateOptions {
  /** Takes a connection over, with the client's address. Must not throw. */
  readonly onConn: (conn: Conn) => void;
  /** Is notified of a connection that is closed for want of a header. */
  readonly onRefused: (conn: Conn, reason: string) => void;
}

/**
 * Reads who the client is from what balancers send first. Nobody else is believed: to others the
 * header is a command that does not exist.
 */
export class ProxyGate implements AsyncDisposable {
  balancers: readonly Network[] = [];
  readonly #options: ProxyGateOptions;
  readonly #waiting = new Set<Conn>();
  readonly #tasks: TaskGroup;

  constructor(options: ProxyGateOptions & { readonly onBug: (cause: unknown) => void }) {
    this.#options = options;
    this.#tasks = new TaskGroup(options.onBug);
  }

  /** Whether the connection is from a balancer, and so begins with a header. */
  expects({ remote }: Conn): boolean {
    return isInNetworks(remote.address, this.balancers);
  }

  /** Reads the header of a connection that `expects` one. */
  admit(conn: Conn): void {
    this.#waiting.add(conn);
    this.#tasks.run(async () => {
      const result = await readProxyHeader(conn, { timeoutMs: HEADER_TIMEOUT_MS });
      this.#waiting.delete(conn);
      if (result.kind === "accepted") this.#options.onConn(result.conn);
      else this.#options.onRefused(conn, result.reason);
    });
  }

  /** Closes the connections that still wait for their header. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const conn of this.#waiting) conn.close();
    await this.#tasks.idle();
  }
}
