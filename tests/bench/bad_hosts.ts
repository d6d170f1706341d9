/** Next hops that waste time. */
import { ByteBuffer } from "../support/byte_buffer.ts";
import { closeQuietly } from "../support/recording_session.ts";

const SLOW_REPLY_MS = 1000;
const CRLF = new TextEncoder().encode("\r\n");

/** Takes connections and says nothing, ever. */
export function startDeadHost(address: { hostname: string; port: number }): AsyncDisposable {
  return new Host(address, async (conn) => {
    const into = new Uint8Array(1024);
    while (await conn.read(into) !== null);
  });
}

/** Answers each line after a second; a message takes six of them. */
export function startSlowHost(address: { hostname: string; port: number }): AsyncDisposable {
  return new Host(address, serveSlowly);
}

async function serveSlowly(conn: Deno.TcpConn): Promise<void> {
  const input = new ByteBuffer();
  let inData = false;
  await replySlowly(conn, "220 slow.test ESMTP");
  for (;;) {
    const end = input.indexOf(CRLF);
    if (end < 0) {
      if (!await input.fill(conn)) return;
      continue;
    }
    const line = input.takeText(end + 2).trimEnd().toUpperCase();
    if (inData && line !== ".") continue;
    inData = line === "DATA";
    await replySlowly(conn, inData ? "354 Go ahead" : "250 Ok");
  }
}

async function replySlowly(conn: Deno.TcpConn, reply: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SLOW_REPLY_MS));
  await conn.write(new TextEncoder().encode(`${reply}\r\n`));
}

class Host implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #open = new Map<Deno.TcpConn, Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor(
    address: { hostname: string; port: number },
    serve: (conn: Deno.TcpConn) => Promise<void>,
  ) {
    this.#listener = Deno.listen(address);
    this.#accepting = this.#accept(serve);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open.keys()) closeQuietly(conn);
    await Promise.all([this.#accepting, ...this.#open.values()]);
  }

  async #accept(serve: (conn: Deno.TcpConn) => Promise<void>): Promise<void> {
    for await (const conn of this.#listener) {
      const served = serve(conn).catch(() => {}).finally(() => {
        closeQuietly(conn);
        this.#open.delete(conn);
      });
      this.#open.set(conn, served);
    }
  }
}
