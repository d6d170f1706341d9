/** The edges of the HTTP server and client: heads of answers, times, and what is left behind. */
import { assertEquals, assertRejects } from "@std/assert";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { writeResponse } from "../../src/net/http/response.ts";
import { HTTP_TIMES, HttpServer } from "../../src/net/http/server.ts";
import { HttpSocket } from "../../src/net/http/socket.ts";
import type { Conn } from "../../src/net/conn.ts";
import { fetchFrom, webFetch } from "../../src/net/http_fetch.ts";
import { listen, ListenError } from "../../src/net/listener.ts";
import { readAll } from "../support/read_all.ts";

const encoder = new TextEncoder();

Deno.test("the times of the HTTP server where nothing is configured", () => {
  assertEquals(HTTP_TIMES, {
    ...{ handshakeMs: 10_000, headerMs: 15_000, requestMs: 300_000, idleMs: 60_000 },
    ...{ writeMs: 60_000, graceMs: 1_000 },
  });
});

/** What is written of an answer; each write is taken at once, or after a drain. */
class FakeOut extends EventEmitter {
  destroyed = false;
  isSlow = false;
  head: unknown[] = [];
  readonly written: string[] = [];
  ended = 0;

  writeHead(status: number, fields: readonly string[]): void {
    this.head = [status, ...fields];
  }

  write(chunk: Uint8Array): boolean {
    this.written.push(new TextDecoder().decode(chunk));
    return !this.isSlow;
  }

  end(chunk?: Uint8Array): void {
    if (chunk !== undefined) this.write(chunk);
    this.ended++;
  }
}

async function answered(response: Response, { isHead = false, out = new FakeOut() } = {}) {
  await writeResponse(out as unknown as ServerResponse, { response, isHead });
  const { head, written, ended } = out;
  return { head, written, ended, listeners: out.listenerCount("close"), out };
}

/** A body that comes in pieces, each a turn of the event loop later. */
function inPieces(pieces: readonly string[], onCancel: () => unknown = () => {}): ReadableStream {
  const waiting = [...pieces];
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve));
      const next = waiting.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(encoder.encode(next));
    },
    cancel: () => Promise.resolve(onCancel()) as Promise<void>,
  }, { highWaterMark: 0 });
}

Deno.test("an answer has a length where it is known, and its own where it says one", async () => {
  const lengthOf = async (response: Response, isHead = false) => {
    const { head, written, ended, listeners } = await answered(response, { isHead });
    assertEquals([ended, listeners], [1, 0]);
    return [head.slice(1).join(" "), written.join("|")];
  };
  assertEquals(await lengthOf(new Response(null)), ["content-length 0", ""]);
  assertEquals(await lengthOf(new Response(null, { status: 204 })), ["", ""]);
  assertEquals(await lengthOf(new Response(null, { status: 304 })), ["", ""]);
  assertEquals(await lengthOf(new Response(encoder.encode("abc"))), ["content-length 3", "abc"]);
  const own = { headers: { "content-length": "3" } };
  assertEquals(await lengthOf(new Response(encoder.encode("abc"), own)), [
    "content-length 3",
    "abc",
  ]);
  assertEquals(await lengthOf(new Response(null, { headers: { "content-length": "9" } }), true), [
    ...["content-length 9", ""],
  ]);
  assertEquals(await lengthOf(new Response(encoder.encode("abc")), true), ["", ""]);
  assertEquals(await lengthOf(new Response(null), true), ["", ""]);
  assertEquals(await lengthOf(new Response(inPieces([]))), ["content-length 0", ""]);
  assertEquals(await lengthOf(new Response(inPieces(["ab", "cd", "e"]))), ["", "ab|cd|e"]);
});

Deno.test("a body that is not wanted is cancelled, and one that will not be is no crash", async () => {
  let cancelled = 0;
  const body = inPieces(["a"], () => cancelled++);
  await answered(new Response(body), { isHead: true });
  assertEquals(cancelled, 1);
  const broken = inPieces(["a"], () => Promise.reject(new Error("no")));
  await assertRejects(() => answered(new Response(broken), { isHead: true }), Error, "no");
  const gone = new FakeOut();
  gone.destroyed = true;
  const stuck = inPieces(["a", "b", "c"], () => Promise.reject(new Error("no")));
  const { written } = await answered(new Response(stuck), { out: gone });
  assertEquals(written, []);
});

Deno.test("an answer waits for a client that is slow, and ends with one that leaves", async () => {
  const slow = new FakeOut();
  slow.isSlow = true;
  const writing = answered(new Response(inPieces(["a", "b"])), { out: slow });
  while (slow.written.length < 1) await new Promise((resolve) => setTimeout(resolve));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals([slow.written, slow.listenerCount("drain")], [["a"], 1]);
  slow.emit("drain");
  while (slow.written.length < 2) await new Promise((resolve) => setTimeout(resolve));
  slow.emit("drain");
  assertEquals([(await writing).ended, slow.listenerCount("drain")], [1, 0]);

  let cancelled = 0;
  const left = new FakeOut();
  left.isSlow = true;
  const ending = answered(new Response(inPieces(["a", "b", "c"], () => cancelled++)), {
    out: left,
  });
  while (left.written.length < 1) await new Promise((resolve) => setTimeout(resolve));
  left.destroyed = true;
  left.emit("close");
  await ending;
  assertEquals([left.written, cancelled, left.listenerCount("close")], [["a"], 1, 0]);
});

/** A connection that takes writes when a test says so. */
function heldConn() {
  const writes: { text: string; take: () => void }[] = [];
  let closed = 0;
  const conn = {
    ...{ local: { address: "a", port: 1 }, remote: { address: "b", port: 2 }, tls: null },
    read: () => new Promise<number | null>(() => {}),
    write: (data: Uint8Array) =>
      new Promise<void>((resolve) => {
        writes.push({ text: new TextDecoder().decode(data), take: resolve });
      }),
    close: () => void closed++,
  };
  return { conn: conn as unknown as Conn, writes, closed: () => closed };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("a socket sends header and body together, and closes once all has left", async () => {
  const { conn, writes, closed } = heldConn();
  const socket = new HttpSocket(conn, { writeTimeoutMs: 60_000 });
  assertEquals([socket.remote.port, socket.isUnix], [2, false]);
  socket.write("first ");
  socket.write("header ");
  socket.write("body");
  await turn();
  assertEquals(writes.map(({ text }) => text), ["first "]);
  writes[0]?.take();
  await turn();
  assertEquals(writes.map(({ text }) => text), ["first ", "header body"]);
  socket.destroySoon();
  await turn();
  assertEquals(closed(), 0);
  writes[1]?.take();
  await new Promise((resolve) => socket.once("close", resolve));
  assertEquals(closed(), 1);
});

Deno.test("a socket whose client takes nothing is closed in its time, one that waits tells so", async () => {
  const { conn, closed } = heldConn();
  const socket = new HttpSocket(conn, { writeTimeoutMs: 1 });
  socket.write("never taken");
  await new Promise((resolve) => socket.once("close", resolve));
  assertEquals(closed(), 1);
  const idle = new HttpSocket(heldConn().conn, { writeTimeoutMs: 60_000 });
  let told = 0;
  idle.on("timeout", () => told++);
  idle.setTimeout(1);
  idle.setTimeout(0);
  idle.setTimeout(2);
  await new Promise((resolve) => idle.once("timeout", resolve));
  assertEquals(told, 1);
  idle.setTimeout(60_000);
  idle.destroy();
});

/** Serves one connection as a test says; the request that came. */
function serveOnce(answer: (conn: Deno.Conn) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of listener) await answer(conn).catch(() => {});
  })();
  const { port } = listener.addr;
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

const REQUEST = { method: "POST", headers: {}, signal: new AbortController().signal };

Deno.test("a request that ends without an answer fails, and one that is given up at once", async () => {
  await using server = serveOnce(async (conn) => {
    await conn.read(new Uint8Array(1_000));
    conn.close();
  });
  using own = fetchFrom({});
  await assertRejects(() => own.fetch(server.url, { ...REQUEST, body: new Blob(["x"]) }));
  const given = { ...REQUEST, signal: AbortSignal.abort(), body: new Blob([]) };
  await assertRejects(async () => await own.fetch(server.url, given), DOMException);
});

Deno.test("a server that answers before it has the body gets no more of it, and no second request", async () => {
  let connections = 0;
  await using server = serveOnce(async (conn) => {
    connections++;
    await conn.read(new Uint8Array(1_000));
    const answer =
      "HTTP/1.1 413 Too Large\r\nX-Bad\u0001: y\r\nX-Good: z\r\nContent-Length: 2\r\n\r\nno";
    await conn.write(encoder.encode(answer.replace("X-Bad\u0001: y\r\n", "")));
    await readAll(conn);
    conn.close();
  });
  using own = fetchFrom({});
  const body = new Blob([new Uint8Array(8_000_000)]);
  for (let count = 1; count <= 2; count++) {
    const { status, headers, body: octets } = await own.fetch(server.url, { ...REQUEST, body });
    let text = "";
    for await (const chunk of octets ?? []) text += new TextDecoder().decode(chunk);
    assertEquals([status, headers.get("x-good"), text, connections], [413, "z", "no", count]);
  }
});

Deno.test("answers without a body have none in the form of the runtime", async () => {
  const answer = (status: number) =>
    webFetch(() =>
      Promise.resolve({
        status,
        headers: new Headers({ a: "b" }),
        body: [encoder.encode("x")] as never,
      })
    )("http://a/", {});
  for (const status of [204, 205, 304]) assertEquals((await answer(status)).body, null);
  const full = await answer(200);
  assertEquals([await full.text(), full.headers.get("a")], ["x", "b"]);
});

Deno.test("where a server cannot listen is said, and why", async () => {
  await using first = await listen({ address: "127.0.0.1", port: 0 }, {
    onConn: (conn) => conn.close(),
    onError() {},
  });
  const at = (address: string, port: number) =>
    HttpServer.open({ address, port }, {
      answer: () => new Response(),
      caps: { maxConnections: 1, maxConnectionsPerAddress: 1 },
      keyOf: (text) => text,
      onError() {},
    });
  const taken = await assertRejects(() => at("127.0.0.1", first.local.port), ListenError);
  assertEquals([taken.kind, taken.message, taken.reason], [
    "address_in_use",
    `Cannot listen on 127.0.0.1:${first.local.port}: another program listens there`,
    "another program listens there",
  ]);
  const missing = await assertRejects(() => at("192.0.2.1", 0), ListenError);
  assertEquals(missing.kind, "address_unavailable");
});

Deno.test("a socket file that nobody listens on is replaced, one in use is not, and it goes in the end", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s`;
  const options = { onConn: (conn: Conn) => conn.close(), onError() {} };
  try {
    const first = await listen({ path }, options);
    const taken = await assertRejects(() => listen({ path }, options), ListenError);
    assertEquals([taken.kind, first.local], ["address_in_use", { address: path, port: 0 }]);
    first.stop();
    first.stop();
    await first[Symbol.asyncDispose]();
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
    // What a process leaves that was killed.
    const script = `Deno.listen({ transport: "unix", path: ${
      JSON.stringify(path)
    } }); Deno.exit(0)`;
    await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", script],
      stdout: "null",
    }).output();
    assertEquals((await Deno.lstat(path)).isSocket, true);
    const next = await listen({ path }, options);
    await next[Symbol.asyncDispose]();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
