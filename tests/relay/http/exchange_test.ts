import { assert, assertEquals, assertRejects } from "@std/assert";
import type { HttpFetch } from "../../../src/base/http_request.ts";
import type { RequestBody } from "../../../src/relay/http/body.ts";
import { type Exchange, exchange } from "../../../src/relay/http/exchange.ts";
import { createRelay } from "../../../src/relay/mod.ts";
import { selfSigned } from "../../support/certificates.ts";
import { sampleJob } from "../../support/delivery_jobs.ts";
import { type Script, startHttpRecorder } from "../../support/http_recorder.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { fetch } from "../../support/own_fetch.ts";

const CHUNK = new Uint8Array(64 * 1024).fill(0x61);
const TIMEOUT_MS = 60_000;

/** A body of as many chunks, that counts what was taken of it. */
class CountedBody implements RequestBody {
  readonly #chunks: number;
  takenBytes = 0;
  ended = false;

  constructor(chunks: number) {
    this.#chunks = chunks;
  }

  get lengthBytes(): number {
    return this.#chunks * CHUNK.length;
  }

  async *stream(): AsyncIterable<Uint8Array> {
    try {
      for (let index = 0; index < this.#chunks; index++) {
        this.takenBytes += CHUNK.length;
        yield await Promise.resolve(CHUNK);
      }
    } finally {
      this.ended = true;
    }
  }
}

interface Attempt {
  readonly url: string;
  readonly body?: RequestBody;
  readonly signal?: AbortSignal;
  readonly clock?: ManualClock;
  readonly fetch?: HttpFetch;
}

function post(
  { url, body = new CountedBody(1), signal = new AbortController().signal, clock, ...ports }:
    Attempt,
): Promise<Exchange> {
  return exchange(
    { fetch, clock: clock ?? new ManualClock(), ...ports },
    { url, headers: {}, body },
    { signal, timeoutMs: TIMEOUT_MS },
  );
}

/** What came of an exchange, in one line. */
function said(result: Exchange): string {
  if (result.kind === "failed") return `${result.reason}${result.maybeSent ? ", maybe sent" : ""}`;
  const { status, body, complete } = result.answer;
  return `${status} ${body.length}${complete ? "" : " cut"}`;
}

async function against(script: Script, attempt: Omit<Attempt, "url"> = {}): Promise<string> {
  await using server = startHttpRecorder(() => script);
  return said(await post({ url: server.url, ...attempt }));
}

Deno.test("exchange: a body leaves with its length and in order", async () => {
  await using server = startHttpRecorder(() => ({ kind: "answer", status: 200, body: "yes" }));
  const body = new CountedBody(100);
  assertEquals(said(await post({ url: server.url, body })), "200 3");
  const [request] = server.requests;
  assertEquals(request?.headers.get("content-length"), String(body.lengthBytes));
  assertEquals(request?.body.length, body.lengthBytes);
  assertEquals(request?.headers.get("accept-encoding"), "identity");
  assertEquals(request?.headers.get("user-agent"), "Posthouse");
  assert(body.ended);
});

Deno.test("exchange: answers that end early, or never", async () => {
  assertEquals(await against({ kind: "cut", status: 200, body: "12345" }), "200 5 cut");
  assertEquals(await against({ kind: "close" }), "cut, maybe sent");
  assertEquals(
    await against({ kind: "garbage", text: "HTTP/1.1 what\r\n\r\n" }),
    "cut, maybe sent",
  );
  const long = "x".repeat(2 * 1024 * 1024);
  const read = await against({ kind: "answer", status: 200, body: long });
  assert(/^200 1\d{6} cut$/.test(read), read);
});

Deno.test("exchange: redirections are not followed", async () => {
  const script: Script = { kind: "answer", status: 307, headers: { location: "/elsewhere" } };
  assertEquals(await against(script), "307 0");
});

Deno.test("exchange: a refusal before the body has gone counts", async () => {
  await using server = startHttpRecorder(() => ({ kind: "close" }), {
    before: () => ({ kind: "early", status: 413 }),
  });
  assertEquals(said(await post({ url: server.url, body: new CountedBody(400) })), "413 0");
});

Deno.test("exchange: a connection lost within the body is known not to be sent", async () => {
  await using server = startHttpRecorder(() => ({ kind: "close" }), {
    before: () => ({ kind: "close_early" }),
  });
  const body = new CountedBody(1000);
  assertEquals(said(await post({ url: server.url, body })), "cut");
  assert(body.takenBytes < body.lengthBytes);
});

Deno.test("exchange: a server that does not read holds the body back", async () => {
  const deaf = Promise.withResolvers<void>();
  await using server = startHttpRecorder(() => ({ kind: "close" }), {
    before: () => {
      deaf.resolve();
      return { kind: "deaf" };
    },
  });
  const body = new CountedBody(2000); // 125 MiB
  const clock = new ManualClock();
  const posting = post({ url: server.url, body, clock });
  await deaf.promise;
  await clock.advance(TIMEOUT_MS);
  assertEquals(said(await posting), "timeout");
  assert(body.takenBytes < 32 * 1024 * 1024, `${body.takenBytes} octets were taken`);
});

Deno.test("exchange: nobody there, no such name", async () => {
  const server = startHttpRecorder(() => ({ kind: "close" }));
  const { url } = server;
  await server[Symbol.asyncDispose]();
  assertEquals(said(await post({ url })), "unreachable");
  assertEquals(said(await post({ url, body: new CountedBody(100) })), "unreachable");
  assertEquals(said(await post({ url: "https://x.invalid/" })), "unreachable");
});

Deno.test("exchange: without a connection nothing was sent, whoever ended the wait", async () => {
  // A full backlog: the kernel drops what comes on top, as a firewall would.
  const listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    tcpBacklog: 1,
  });
  const { port } = listener.addr;
  const waiting = [1, 2, 3, 4].map(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const conn = Deno.connect({ hostname: "127.0.0.1", port, signal }).catch(
      () => null,
    );
    return { conn, controller };
  });
  await Promise.all([waiting[0]?.conn, waiting[1]?.conn]);
  const url = `http://127.0.0.1:${port}/`;
  for (const scheme of ["http", "https"]) {
    const clock = new ManualClock();
    const body = new CountedBody(1);
    const posting = post({ url: url.replace("http", scheme), clock, body });
    await clock.advance(TIMEOUT_MS);
    assertEquals(said(await posting), "unreachable");
    const controller = new AbortController();
    const givenUp = post({ url, signal: controller.signal, body });
    controller.abort();
    assertEquals(said(await givenUp), "aborted");
    assertEquals(body.takenBytes, 0);
  }
  for (const { conn, controller } of waiting) {
    controller.abort();
    (await conn)?.close();
  }
  listener.close();
});

Deno.test("exchange: a handshake that ends, stalls or finds a stranger sent nothing", async () => {
  const { certificate, key } = selfSigned({ names: ["localhost"] });
  await using stack = new AsyncDisposableStack();
  const server = stack.use(Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert: certificate, key, onListen() {} },
    () => new Response("never"),
  ));
  const body = new CountedBody(1);
  assertEquals(
    said(await post({ url: `https://127.0.0.1:${server.addr.port}/`, body })),
    "unreachable",
  );
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `https://127.0.0.1:${silent.addr.port}/`;
  const clock = new ManualClock();
  const posting = post({ url, clock, body });
  using stalled = await silent.accept();
  await clock.advance(TIMEOUT_MS);
  assertEquals(said(await posting), "unreachable");
  stalled.close();
  const cutting = post({ url, body });
  (await silent.accept()).close();
  assertEquals(said(await cutting), "unreachable");
  assertEquals(body.takenBytes, 0);
});

Deno.test("exchange: a peer that speaks no TLS is no peer", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(1000));
    await conn.write(new TextEncoder().encode("220 mx.example ESMTP\r\n"));
  })();
  assertEquals(
    said(await post({ url: `https://127.0.0.1:${listener.addr.port}/` })),
    "unreachable",
  );
  await serving;
  listener.close();
});

Deno.test({
  name: "exchange: an address that the process may not reach",
  permissions: { net: ["127.0.0.1"] },
  fn: async () => {
    assertEquals(said(await post({ url: "http://192.0.2.1/" })), "forbidden");
  },
});

Deno.test("exchange: who gives up is told as soon as it is clear", async () => {
  const asked = Promise.withResolvers<void>();
  const answering = Promise.withResolvers<Script>();
  await using server = startHttpRecorder(() => {
    asked.resolve();
    return answering.promise;
  });
  const controller = new AbortController();
  const posting = post({ url: server.url, signal: controller.signal });
  await asked.promise;
  controller.abort();
  answering.resolve({ kind: "answer", status: 200, body: "in time" });
  assertEquals(said(await posting), "200 7");
});

Deno.test("exchange: but not for ever", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = startHttpRecorder(() => {
    asked.resolve();
    return { kind: "silence" };
  });
  const controller = new AbortController();
  const clock = new ManualClock();
  const posting = post({ url: server.url, signal: controller.signal, clock });
  await asked.promise;
  controller.abort();
  await clock.advance(5_000);
  assertEquals(said(await posting), "aborted, maybe sent");
  assertEquals(clock.nextTimerAtMs, null);
});

Deno.test("exchange: what goes wrong with the body is not the server's", async () => {
  await using server = startHttpRecorder(() => ({ kind: "answer", status: 200 }));
  const body: RequestBody = {
    lengthBytes: 10,
    async *stream() {
      yield await Promise.resolve(new Uint8Array(5));
      throw new Deno.errors.NotFound("Cannot read the body: it is gone");
    },
  };
  await assertRejects(() => post({ url: server.url, body }), Deno.errors.NotFound);
});

/** What it means for mail when nobody is behind the address of an API. */
async function outcomeAt(url: string, clock: ManualClock): Promise<string> {
  const made = createRelay({ type: "webhook", table: { url } }, {
    ...{ name: "hook", fetch, clock, timeoutMs: TIMEOUT_MS },
  });
  if (made.kind !== "created") throw new Error("not made");
  await using transport = made.transport;
  let isOver = false;
  const delivering = transport.deliver(sampleJob(), { signal: new AbortController().signal });
  const over = delivering.finally(() => isOver = true);
  while (!isOver && clock.nextTimerAtMs === null) await new Promise((go) => setTimeout(go, 1));
  await clock.advance(TIMEOUT_MS);
  const { outcomes: [outcome] } = await over;
  return outcome?.kind === "broken" ? `broken ${outcome.scope}` : outcome?.kind ?? "";
}

Deno.test("exchange: an API that nobody reaches is broken, so that another transport is tried", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr;
  // TCP is answered by the kernel, TLS by nobody.
  assertEquals(
    await outcomeAt(`https://127.0.0.1:${port}/`, new ManualClock()),
    "broken transport",
  );
  silent.close();
  assertEquals(await outcomeAt(`http://127.0.0.1:${port}/`, new ManualClock()), "broken transport");
});
