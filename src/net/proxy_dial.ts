import type { Conn } from "./conn.ts";
import { dial, type DialOptions, type DialResult } from "./dial.ts";
import { ForwardedConn } from "./forwarded_conn.ts";
import { connectOverHttp } from "./http_connect.ts";
import type { Proxy, ProxyAnswer, ProxyTarget } from "./proxy.ts";
import { connectOverSocks } from "./socks5.ts";
import { TimeLimit } from "./time_limit.ts";

/**
 * Connects once to `target` through `proxy`. Never throws for what the network does. `local` of
 * the connection is empty: the target sees an address of the proxy's.
 */
export async function dialThrough(
  proxy: Proxy,
  { target, ...options }: DialOptions & { readonly target: ProxyTarget },
): Promise<DialResult> {
  const dialled = await dial(proxy, options);
  if (dialled.kind === "aborted") return dialled;
  if (dialled.kind !== "connected") {
    return { kind: "proxy", reason: `Cannot reach the proxy: ${dialled.reason}` };
  }
  const answer = await negotiate(dialled.conn, { proxy, target, options });
  if (answer.kind !== "connected") {
    dialled.conn.close();
    return answer;
  }
  const local = { address: "", port: 0 };
  const remote = { address: target.host, port: target.port };
  return { kind: "connected", conn: new ForwardedConn(dialled.conn, { ...answer, local, remote }) };
}

async function negotiate(
  conn: Conn,
  { proxy, target, options }: { proxy: Proxy; target: ProxyTarget; options: DialOptions },
): Promise<ProxyAnswer> {
  const limit = new TimeLimit(options);
  const close = (): void => conn.close();
  limit.signal.addEventListener("abort", close, { once: true });
  const connect = proxy.kind === "socks5" ? connectOverSocks : connectOverHttp;
  const { credentials } = proxy;
  try {
    const answer = await connect(conn, { target, credentials: credentials ?? null });
    return limit.failure() ?? answer;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return limit.failure() ?? { kind: "proxy", reason: `The proxy failed: ${reason}` };
  } finally {
    limit.signal.removeEventListener("abort", close);
    limit.clear();
  }
}
