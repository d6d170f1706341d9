import { concatBytes } from "../base/bytes.ts";
import type { Conn } from "./conn.ts";
import { ForwardedConn } from "./forwarded_conn.ts";
import { parseProxyHeader } from "./proxy_header.ts";

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
    const { addresses } = header;
    const forwarded = new ForwardedConn(conn, {
      ahead: received.subarray(header.lengthBytes),
      local: addresses?.server ?? conn.local,
      remote: addresses?.client ?? conn.remote,
    });
    return { kind: "accepted", conn: forwarded };
  }
}

function refuse(conn: Conn, reason: string): ProxiedResult {
  conn.close();
  return { kind: "refused", reason };
}
