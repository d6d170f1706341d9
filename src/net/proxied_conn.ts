import { concatBytes } from "../base/bytes.ts";
import type { Conn, Endpoint, TlsUpgrade } from "./conn.ts";
import { parseProxyHeader, type ProxiedAddresses } from "./proxy_header.ts";
import { upgradeToTls } from "./tls_upgrade.ts";

/** What `readProxyHeader` answers. */
export type ProxiedResult =
  /** Its `remote` and `local` are those of the client's connection to the balancer. */
  | { readonly kind: "accepted"; readonly conn: Conn }
  /** The connection is closed. */
  | { readonly kind: "refused"; readonly reason: string };

const BUFFER_BYTES = 512;

/**
 * Reads the PROXY header off a connection from a balancer, before anything else is done with it.
 * Whether the peer is a balancer is for the caller to know: a header from anyone else is a claim.
 */
export async function readProxyHeader(
  conn: Conn,
  { timeoutMs }: { timeoutMs: number },
): Promise<ProxiedResult> {
  const timer = setTimeout(() => conn.close(), timeoutMs);
  try {
    return await readHeader(conn);
  } catch (cause) {
    return refuse(conn, cause instanceof Error ? cause.message : String(cause));
  } finally {
    clearTimeout(timer);
  }
}

async function readHeader(conn: Conn): Promise<ProxiedResult> {
  let received: Uint8Array = new Uint8Array(0);
  for (;;) {
    const more = new Uint8Array(BUFFER_BYTES);
    const lengthBytes = await conn.read(more);
    if (lengthBytes === null) return refuse(conn, "the connection ended within the header");
    received = concatBytes([received, more.subarray(0, lengthBytes)]);
    const header = parseProxyHeader(received);
    if (header.kind === "malformed") return refuse(conn, header.reason);
    if (header.kind === "incomplete") continue;
    const ahead = received.subarray(header.lengthBytes);
    return {
      kind: "accepted",
      conn: new ProxiedConn(conn, { ahead, addresses: header.addresses }),
    };
  }
}

function refuse(conn: Conn, reason: string): ProxiedResult {
  conn.close();
  return { kind: "refused", reason };
}

/** A connection with the addresses of another, and with octets of its begin already read. */
class ProxiedConn implements Conn {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly tls = null;
  readonly #conn: Conn;
  #ahead: Uint8Array | null;

  constructor(
    conn: Conn,
    { ahead, addresses }: { ahead: Uint8Array; addresses: ProxiedAddresses | null },
  ) {
    this.#conn = conn;
    this.#ahead = ahead.length > 0 ? ahead : null;
    this.local = addresses?.server ?? conn.local;
    this.remote = addresses?.client ?? conn.remote;
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
