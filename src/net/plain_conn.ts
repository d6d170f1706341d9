import type { Conn, Endpoint, TlsUpgrade } from "./conn.ts";
import { toConnError } from "./conn_error.ts";
import { endpointOf } from "./endpoint.ts";
import { upgradeToTls } from "./tls_upgrade.ts";

/**
 * The connection over a socket of the runtime. Small, because thousands of them are idle.
 * Replies go out at once (TCP_NODELAY): a reply held back by Nagle's algorithm waits 40 ms for
 * the delayed acknowledgement of the one before.
 */
export function plainConn(socket: Deno.TcpConn | Deno.UnixConn): Conn {
  if ("setNoDelay" in socket) disableNagle(socket);
  return new PlainConn(socket);
}

function disableNagle(socket: Deno.TcpConn): void {
  try {
    socket.setNoDelay(true);
  } catch {
    // A peer that has already reset the connection: the first read tells the owner.
  }
}

class PlainConn implements Conn {
  readonly tls = null;
  readonly #socket: Deno.TcpConn | Deno.UnixConn;
  #closed = false;

  constructor(socket: Deno.TcpConn | Deno.UnixConn) {
    this.#socket = socket;
  }

  // The socket holds both addresses anyway.
  get local(): Endpoint {
    return endpointOf(this.#socket.localAddr);
  }

  get remote(): Endpoint {
    return endpointOf(this.#socket.remoteAddr);
  }

  /** Not async: an idle connection would hold the frame. */
  read(into: Uint8Array): Promise<number | null> {
    return this.#socket.read(into).catch((cause) => this.#fail(cause));
  }

  async write(data: Uint8Array): Promise<void> {
    try {
      let written = await this.#socket.write(data);
      while (written < data.length) written += await this.#socket.write(data.subarray(written));
    } catch (cause) {
      this.#fail(cause);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  upgradeToTls(upgrade: TlsUpgrade): Promise<Conn> {
    return upgradeToTls(this, upgrade);
  }

  #fail(cause: unknown): never {
    throw toConnError(cause, { closed: this.#closed });
  }
}
