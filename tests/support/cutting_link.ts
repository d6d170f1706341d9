/** A way between a client and a server of a test that breaks after a number of octets. */

/** After how many octets of each connection it breaks. */
export interface Cut {
  readonly toServerBytes?: number;
  readonly toClientBytes?: number;
}

/** A running link. Disposing of it cuts every connection. */
export interface CuttingLink extends AsyncDisposable {
  /** Where clients connect. */
  readonly port: number;
  /** What came through, over all connections, one octet a character. */
  readonly toServer: string;
  readonly toClient: string;
}

const decoder = new TextDecoder("latin1");

/** Starts one on loopback. Both ends see the connection close in order. */
export function startCuttingLink(
  serverPort: number,
  { toServerBytes = Infinity, toClientBytes = Infinity }: Cut = {},
): CuttingLink {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const seen = { toServer: "", toClient: "" };
  const open = new Set<Deno.TcpConn>();
  const running: Promise<void>[] = [];
  const pass = async (
    [from, to]: readonly [Deno.TcpConn, Deno.TcpConn],
    { limit, name }: { limit: number; name: keyof typeof seen },
  ): Promise<void> => {
    const buffer = new Uint8Array(16 * 1024);
    for (let passed = 0; passed < limit;) {
      const length = await from.read(buffer);
      if (length === null) return;
      const octets = buffer.subarray(0, Math.min(length, limit - passed));
      for (let sent = 0; sent < octets.length;) sent += await to.write(octets.subarray(sent));
      seen[name] += decoder.decode(octets);
      passed += octets.length;
    }
  };
  const serve = async (client: Deno.TcpConn): Promise<void> => {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: serverPort });
    for (const end of [client, server]) {
      open.add(end);
      end.setNoDelay();
    }
    try {
      await Promise.race([
        pass([client, server], { limit: toServerBytes, name: "toServer" }),
        pass([server, client], { limit: toClientBytes, name: "toClient" }),
      ]);
    } catch {
      // An end was closed under the other's hands.
    } finally {
      for (const end of [client, server]) closeQuietly(end);
    }
  };
  const accepting = (async () => {
    for await (const client of listener) running.push(serve(client));
  })();
  return {
    port: listener.addr.port,
    get toServer() {
      return seen.toServer;
    },
    get toClient() {
      return seen.toClient;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const end of open) closeQuietly(end);
      await Promise.all(running);
    },
  };
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It was closed already.
  }
}
