import type { Conn, Endpoint, TlsUpgrade } from "./conn.ts";
import { upgradeToTls } from "./tls_upgrade.ts";

/** What a `ForwardedConn` knows better than the connection below it. */
export interface ForwardedConnOptions {
  /** Octets of the stream that were read already. */
  readonly ahead: Uint8Array;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** A plain connection that something on the way forwards: its ends are not those of the socket. */
export class ForwardedConn implements Conn {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly tls = null;
  readonly #conn: Conn;
  #ahead: Uint8Array | null;

  constructor(conn: Conn, { ahead, local, remote }: ForwardedConnOptions) {
    this.#conn = conn;
    this.#ahead = ahead.length > 0 ? ahead : null;
    this.local = local;
    this.remote = remote;
  }

  read(into: Uint8Array): Promise<number | null> {
    const ahead = this.#ahead;
    if (ahead === null) return this.#conn.read(into);
    const lengthBytes = Math.min(ahead.length, into.length);
    into.set(ahead.subarray(0, lengthBytes));
    this.#ahead = lengthBytes < ahead.length ? ahead.subarray(lengthBytes) : null;
    return Promise.resolve(lengthBytes);
  }

  write(data: Uint8Array): Promise<void> {
    return this.#conn.write(data);
  }

  close(): void {
    this.#ahead = null;
    this.#conn.close();
  }

  upgradeToTls(upgrade: TlsUpgrade): Promise<Conn> {
    return upgradeToTls(this, upgrade);
  }
}
