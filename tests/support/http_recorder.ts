/**
 * An HTTP server for tests: it keeps every request octet for octet and answers as it is told,
 * also in ways that no server should. It shares no code with the relay.
 */

/** A request as it came. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case; a field that came twice has its values joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What the server does with one request. */
export type Script =
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }
  /** Closes the connection after the request. */
  | { readonly kind: "close" }
  /** Closes it before the request has been read. */
  | { readonly kind: "close_early" }
  /** Writes these octets, whatever they are, and closes. */
  | { readonly kind: "garbage"; readonly text: string }
  /** Promises more than it sends. */
  | { readonly kind: "cut"; readonly status: number; readonly body: string }
  /** Sends the head and part of the body, and then nothing any more. */
  | { readonly kind: "stall"; readonly status: number; readonly body: string }
  /** Says nothing. */
  | { readonly kind: "silence" }
  /** Neither says nor reads anything any more. */
  | { readonly kind: "deaf" }
  /** Answers before the body has come, and reads the rest away. */
  | { readonly kind: "early"; readonly status: number };

/** A running server. Disposing of it cuts every connection. */
export interface HttpRecorder extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** Resolves when `count` requests have come in full. */
  waitForRequests(count: number): Promise<void>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");
const HEAD_END = "\r\n\r\n";

/** Starts a server on loopback; `respond` is asked once a request has come, `seen` counted from 0. */
export function startHttpRecorder(
  respond: (request: RecordedRequest, seen: number) => Script | Promise<Script>,
  { before }: { before?: (seen: number) => Script | null } = {},
): HttpRecorder {
  return new Recorder(respond, before ?? (() => null));
}

class Recorder implements HttpRecorder {
  readonly requests: RecordedRequest[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #respond: (request: RecordedRequest, seen: number) => Script | Promise<Script>;
  readonly #before: (seen: number) => Script | null;
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #running = new Set<Promise<void>>();
  readonly #waiting = new Set<() => void>();
  readonly #accepting: Promise<void>;
  readonly #closed = Promise.withResolvers<void>();
  #begun = 0;

  constructor(
    respond: (request: RecordedRequest, seen: number) => Script | Promise<Script>,
    before: (seen: number) => Script | null,
  ) {
    this.#respond = respond;
    this.#before = before;
    this.#accepting = this.#accept();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  async waitForRequests(count: number): Promise<void> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#closed.resolve();
    for (const conn of this.#conns) closeQuietly(conn);
    await this.#accepting;
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) {
        this.#conns.add(conn);
        const running: Promise<void> = this.#serve(conn).catch(() => {}).finally(() => {
          closeQuietly(conn);
          this.#conns.delete(conn);
          this.#running.delete(running);
        });
        this.#running.add(running);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #serve(conn: Deno.TcpConn): Promise<void> {
    const reader = new Reader(conn);
    for (;;) {
      const head = await reader.readHead();
      if (head === null) return;
      const early = this.#before(this.#begun++);
      if (early !== null) return await this.#play(conn, early, reader);
      const request = { ...head, body: await reader.readBody(head.headers) };
      const seen = this.requests.push(request) - 1;
      for (const resolve of this.#waiting) resolve();
      this.#waiting.clear();
      const script = await this.#respond(request, seen);
      await this.#play(conn, script, reader);
      if (script.kind !== "answer") return;
    }
  }

  async #play(conn: Deno.TcpConn, script: Script, reader: Reader): Promise<void> {
    switch (script.kind) {
      case "answer":
        return await write(conn, answerOf(script));
      case "early":
        await write(conn, answerOf({ ...script, headers: { connection: "close" } }));
        await conn.closeWrite();
        return await reader.drain();
      case "garbage":
        return await write(conn, script.text);
      case "cut":
        return await write(conn, partOf(script));
      case "stall":
        await write(conn, partOf(script));
        return await reader.drain();
      case "silence":
        return await reader.drain();
      case "deaf":
        return await this.#closed.promise;
      case "close":
      case "close_early":
        return;
    }
  }
}

/** Reads requests from a connection, both framings of RFC 9112 section 6. */
class Reader {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(64 * 1024);
  #rest = new Uint8Array(0);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  async readHead(): Promise<Omit<RecordedRequest, "body"> | null> {
    let end: number;
    while ((end = decoder.decode(this.#rest).indexOf(HEAD_END)) < 0) {
      if (!await this.#more()) return null;
    }
    const [first = "", ...lines] = decoder.decode(this.#rest.subarray(0, end)).split("\r\n");
    this.#rest = this.#rest.slice(end + HEAD_END.length);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      const known = headers.get(name);
      headers.set(name, known === undefined ? value : `${known}, ${value}`);
    }
    const [method = "", target = ""] = first.split(" ");
    return { method, target, headers };
  }

  async readBody(headers: ReadonlyMap<string, string>): Promise<Uint8Array<ArrayBuffer>> {
    if (headers.get("transfer-encoding") === "chunked") return await this.#readChunks();
    return await this.#take(Number(headers.get("content-length") ?? 0));
  }

  async drain(): Promise<void> {
    while (await this.#conn.read(this.#buffer) !== null);
  }

  async #readChunks(): Promise<Uint8Array<ArrayBuffer>> {
    const body: number[] = [];
    for (;;) {
      const size = parseInt(await this.#line(), 16);
      body.push(...await this.#take(size));
      await this.#line();
      if (size === 0) return Uint8Array.from(body);
    }
  }

  async #line(): Promise<string> {
    let end: number;
    while ((end = decoder.decode(this.#rest).indexOf("\r\n")) < 0) await this.#need();
    return decoder.decode(await this.#take(end + 2)).trimEnd();
  }

  async #take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#rest.length === 0) await this.#need();
      const part = this.#rest.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.slice(part.length);
    }
    return taken;
  }

  async #need(): Promise<void> {
    if (!await this.#more()) throw new Error("Cannot read a request: the connection ended");
  }

  async #more(): Promise<boolean> {
    const count = await this.#conn.read(this.#buffer);
    if (count === null) return false;
    const joined = new Uint8Array(this.#rest.length + count);
    joined.set(this.#rest);
    joined.set(this.#buffer.subarray(0, count), this.#rest.length);
    this.#rest = joined;
    return true;
  }
}

function answerOf(
  { status, headers = {}, body = "" }: {
    status: number;
    headers?: Readonly<Record<string, string>>;
    body?: string;
  },
): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const lengthBytes = encoder.encode(body).length;
  return `HTTP/1.1 ${status} Whatever\r\n${fields}content-length: ${lengthBytes}\r\n\r\n${body}`;
}

/** An answer whose length says that 100 octets more will come. */
function partOf({ status, body }: { status: number; body: string }): string {
  const lengthBytes = encoder.encode(body).length + 100;
  return `HTTP/1.1 ${status} Whatever\r\ncontent-length: ${lengthBytes}\r\n\r\n${body}`;
}

async function write(conn: Deno.TcpConn, text: string): Promise<void> {
  const octets = encoder.encode(text);
  for (let at = 0; at < octets.length;) at += await conn.write(octets.subarray(at));
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It was closed already.
  }
}
