/**
 * A SOCKS5 proxy (RFC 1928) for tests that knows where hosts are: what it is asked to connect to
 * leads to ports of this machine. It shares no code with the relay.
 */

/** A running proxy. Disposing of it cuts every connection. */
export interface SocksProxy extends AsyncDisposable {
  readonly port: number;
  /** What it was asked to connect to, as `mx.example.org:25`. */
  readonly asked: readonly string[];
}

const HOST_UNREACHABLE = 4;

/** Starts one on loopback; `ports` are those of this machine by `host:port` of the request. */
export function startSocksProxy(ports: Readonly<Record<string, number>>): SocksProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked: string[] = [];
  const open = new Set<Deno.TcpConn>();
  const running = new Set<Promise<void>>();
  const serve = async (conn: Deno.TcpConn): Promise<void> => {
    open.add(conn);
    const target = await requested(conn);
    asked.push(target);
    const port = ports[target];
    if (port === undefined) return await answer(conn, HOST_UNREACHABLE);
    using far = await Deno.connect({ hostname: "127.0.0.1", port });
    open.add(far);
    for (const end of [conn, far]) end.setNoDelay();
    await answer(conn, 0);
    await Promise.race([pass(conn, far), pass(far, conn)]);
  };
  const accepting = (async () => {
    for await (const conn of listener) {
      running.add(serve(conn).catch(() => {}).finally(() => closeQuietly(conn)));
    }
  })();
  return {
    port: listener.addr.port,
    asked,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of open) closeQuietly(conn);
      await Promise.all(running);
    },
  };
}

/** Greets and reads the request; `host:port`. */
async function requested(conn: Deno.TcpConn): Promise<string> {
  const [, methods = 0] = await take(conn, 2);
  await take(conn, methods);
  await conn.write(Uint8Array.of(5, 0));
  const [, , , type] = await take(conn, 4);
  const host = await hostOf(conn, type);
  const [high = 0, low = 0] = await take(conn, 2);
  return `${host}:${high * 256 + low}`;
}

async function hostOf(conn: Deno.TcpConn, type: number | undefined): Promise<string> {
  if (type === 1) return (await take(conn, 4)).join(".");
  const [lengthBytes = 0] = type === 4 ? [16] : await take(conn, 1);
  const octets = await take(conn, lengthBytes);
  return type === 4 ? octets.toHex() : new TextDecoder().decode(octets);
}

async function answer(conn: Deno.TcpConn, code: number): Promise<void> {
  await conn.write(Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0));
}

async function take(conn: Deno.TcpConn, lengthBytes: number): Promise<Uint8Array> {
  const into = new Uint8Array(lengthBytes);
  for (let length = 0; length < lengthBytes;) {
    const more = await conn.read(into.subarray(length));
    if (more === null) throw new Error("the client ended the connection");
    length += more;
  }
  return into;
}

async function pass(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16 * 1024);
  for (;;) {
    const length = await from.read(buffer);
    if (length === null) return;
    for (let sent = 0; sent < length;) sent += await to.write(buffer.subarray(sent, length));
  }
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It was closed already.
  }
}
