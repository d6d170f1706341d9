import type { Conn } from "../../src/net/conn.ts";
import { plainConn } from "../../src/net/plain_conn.ts";

/** Both ends of a new loopback connection. The caller closes them. */
export async function connPair(): Promise<{ client: Conn; server: Conn }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [server, client] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  ]);
  return { client: plainConn(client), server: plainConn(server) };
}
