import { assert, assertEquals } from "@std/assert";
import { HttpServer, type HttpServerOptions, type HttpTimes } from "../../src/net/http/server.ts";
import { ServerTlsContext } from "../../src/net/server_tls.ts";
import { testAuthority } from "../support/certificates.ts";
import { readAll } from "../support/read_all.ts";

const LOOPBACK = { address: "127.0.0.1", port: 0 };
const MANY = { maxConnections: 100, maxConnectionsPerAddress: 100 };

function serve(
  answer: HttpServerOptions["answer"],
  options: Partial<HttpServerOptions> = {},
): Promise<HttpServer> {
  return HttpServer.open(LOOPBACK, {
    answer,
    caps: MANY,
    keyOf: (address) => address,
    onError(message, cause) {
      throw new Error(message, { cause });
    },
    ...options,
  });
}

const hello = (): Response => new Response("hello\n");

function connect({ local }: HttpServer): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: local.port });
}

function say(conn: Deno.Conn, text: string): Promise<number> {
  return conn.write(new TextEncoder().encode(text));
}

/** All that the server answers to these octets, until it closes. */
async function talk(server: HttpServer, text: string): Promise<string> {
  using conn = await connect(server);
  await say(conn, text);
  return await readAll(conn);
}

const GET = "GET / HTTP/1.1\r\nHost: relay.test\r\n";
const LAST_GET = `${GET}Connection: close\r\n\r\n`;

Deno.test("an answer that is all there has a length, a stream comes in chunks", async () => {
  await using server = await serve((request) => {
    if (new URL(request.url).pathname === "/") return hello();
    const parts = ReadableStream.from(async function* () {
      yield new TextEncoder().encode("one ");
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield new TextEncoder().encode("two");
    }());
    return new Response(parts, { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
  });
  const whole = await talk(server, LAST_GET);
  assert(/^HTTP\/1.1 200 OK\r\n[^]*content-length: 6\r\n[^]*\r\n\r\nhello\n$/.test(whole), whole);
  const parts = await talk(server, LAST_GET.replace("/", "/parts"));
  assert(/Transfer-Encoding: chunked/.test(parts), parts);
  assert(/\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n$/.test(parts), parts);
  assert(/set-cookie: a=1\r\nset-cookie: b=2\r\n/.test(parts), parts);
});

Deno.test("requests sent ahead are answered one after the other, on one connection", async () => {
  let underWay = 0;
  let most = 0;
  await using server = await serve(async (request) => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 1));
    underWay--;
    return new Response(`${request.method} ${await request.text()};`);
  });
  const post = "POST / HTTP/1.1\r\nHost: relay.test\r\nContent-Length: 3\r\n\r\nabc";
  const answers = await talk(server, post.repeat(20) + LAST_GET);
  assertEquals(answers.match(/POST abc;/g)?.length, 20);
  assertEquals(answers.endsWith("GET ;"), true);
  assertEquals(most, 1);
});

Deno.test("HEAD and statuses without a body have none", async () => {
  await using server = await serve(({ method }) =>
    method === "HEAD" ? hello() : new Response(null, { status: 204 })
  );
  const head = await talk(server, LAST_GET.replace("GET", "HEAD"));
  assertEquals(head.split("\r\n\r\n")[1], "");
  const empty = await talk(server, LAST_GET);
  assert(empty.startsWith("HTTP/1.1 204") && !/content-length|chunked/i.test(empty), empty);
});

Deno.test("a large body is read as fast as it is asked for", async () => {
  const bytes = 3_000_000;
  await using server = await serve(async (request) => {
    let count = 0;
    for await (const chunk of request.body ?? []) {
      count += chunk.length;
      if (count % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return new Response(String(count));
  });
  const url = `http://127.0.0.1:${server.local.port}/`;
  const body = new Uint8Array(bytes);
  assertEquals(await (await fetch(url, { method: "POST", body })).text(), String(bytes));
  const chunked = new Blob([body]).stream();
  assertEquals(await (await fetch(url, { method: "POST", body: chunked })).text(), String(bytes));
});

Deno.test("a body that nobody reads is let pass, and the connection serves the next request", async () => {
  await using server = await serve(() => new Response("no\n", { status: 413 }));
  using conn = await connect(server);
  const body = "x".repeat(3_000_000);
  const post =
    `POST / HTTP/1.1\r\nHost: relay.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const sent = ReadableStream.from([new TextEncoder().encode(post + LAST_GET)]);
  // As clients do that send all of a body before they look at the answer.
  await sent.pipeTo(conn.writable, { preventClose: true });
  const answers = await readAll(conn);
  assertEquals(answers.match(/HTTP\/1.1 413/g)?.length, 2, answers);
});

const REFUSED: Readonly<Record<string, readonly [string, number]>> = {
  "no HTTP": ["EHLO client.test\r\n\r\n", 400],
  "no host": ["GET / HTTP/1.1\r\n\r\n", 400],
  "two hosts": [`${GET}Host: other.test\r\nConnection: close\r\n\r\n`, 400],
  "a target of another scheme": ["GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  "a user in the target": ["GET http://a:b@c/ HTTP/1.1\r\nHost: c\r\n\r\n", 400],
  "TRACE": [`${LAST_GET.replace("GET", "TRACE")}`, 501],
  "a header of 40 KB": [`${GET}X: ${"x".repeat(40_000)}\r\n\r\n`, 431],
  "two lengths": [`${GET}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
  "a length and chunks": [`${GET}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  "a length that is none": [`${GET}Content-Length: 1x\r\n\r\n`, 400],
  "bare LF": ["GET / HTTP/1.1\nHost: a\n\n", 400],
  "a folded field": [`${GET}A: b\r\n c\r\n\r\n`, 400],
};
for (const [what, [octets, status]] of Object.entries(REFUSED)) {
  Deno.test(`${what} is refused`, async () => {
    await using server = await serve(hello);
    const answer = await talk(server, octets);
    assertEquals(answer.slice(0, 12), `HTTP/1.1 ${status}`, answer);
  });
}

Deno.test("an answer that fails is told once, and one that breaks off is not whole", async () => {
  const errors: string[] = [];
  await using server = await serve((request) => {
    if (!request.url.endsWith("/late")) throw new Error("no");
    return new Response(ReadableStream.from(async function* () {
      yield new TextEncoder().encode("one ");
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error("no more");
    }()));
  }, { onError: (message) => void errors.push(message) });
  assertEquals((await talk(server, LAST_GET)).slice(0, 12), "HTTP/1.1 500");
  assertEquals((await talk(server, LAST_GET.replace("/", "/late"))).endsWith("0\r\n\r\n"), false);
  assertEquals(errors, ["Cannot answer a request"]);
});

Deno.test("a client that leaves ends its stream and its signal", async () => {
  const cancelled = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await using server = await serve((request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(10)),
        cancel: () => cancelled.resolve(),
      }),
    );
  });
  const conn = await connect(server);
  await say(conn, `${GET}\r\n`);
  await conn.read(new Uint8Array(1000));
  conn.close();
  await Promise.all([cancelled.promise, aborted.promise]);
});

/** Resolves when the server has closed the connection. */
async function closedBy(conn: Deno.Conn): Promise<void> {
  try {
    while (await conn.read(new Uint8Array(65536)) !== null);
  } catch {
    // reset
  }
}

Deno.test("connections have a cap in all, and leave room when they end", async () => {
  await using server = await serve(hello, {
    caps: { maxConnections: 2, maxConnectionsPerAddress: 2 },
  });
  using first = await connect(server);
  const second = await connect(server);
  await say(first, `${GET}\r\n`);
  await say(second, `${GET}\r\n`);
  assert(await first.read(new Uint8Array(1000)));
  assert(await second.read(new Uint8Array(1000)));
  using third = await connect(server);
  await closedBy(third);
  assertEquals(server.connections, 2);
  second.close();
  for (;;) { // until the server has seen the end of the second
    if ((await talk(server, LAST_GET).catch(() => "")).startsWith("HTTP/1.1 200")) break;
  }
});

Deno.test("connections have a cap for each client", async () => {
  await using server = await serve(hello, {
    caps: { maxConnections: 10, maxConnectionsPerAddress: 1 },
  });
  using first = await connect(server);
  await say(first, `${GET}\r\n`);
  assert(await first.read(new Uint8Array(1000)));
  using second = await connect(server);
  await closedBy(second);
  assertEquals(server.connections, 1);
});

const SLOW: Readonly<Record<string, readonly [Partial<HttpTimes>, string]>> = {
  "nothing at all": [{ headerMs: 100 }, ""],
  "half a header": [{ headerMs: 100 }, GET],
  "half a body": [{ requestMs: 100 }, `${GET.replace("GET", "POST")}Content-Length: 9\r\n\r\nhalf`],
  "half a large body": [
    { requestMs: 100 },
    `${GET.replace("GET", "POST")}Content-Length: 99999\r\n\r\nhalf`,
  ],
  "no second request": [{ idleMs: 100 }, `${GET}\r\n`],
};
for (const [what, [times, octets]] of Object.entries(SLOW)) {
  Deno.test(`a client that sends ${what} is cut`, async () => {
    await using server = await serve(async (request) => new Response(await request.text()), {
      times,
      onError: () => {},
    });
    using conn = await connect(server);
    if (octets !== "") await say(conn, octets);
    await closedBy(conn);
  });
}

Deno.test("a client that takes no answer is cut", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using server = await serve(() =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1 << 20)),
        cancel: () => cancelled.resolve(),
      }),
    ), { times: { writeMs: 100 } });
  using conn = await connect(server);
  await say(conn, `${GET}\r\n`);
  await cancelled.promise;
});

Deno.test("inside TLS, a handshake has its time and a failed one its end", async () => {
  const authority = testAuthority();
  const pair = authority.issue({ names: ["relay.test"] });
  await using server = await serve(({ url }) => new Response(url), {
    tls: new ServerTlsContext({ certificates: [pair] }),
    times: { handshakeMs: 200 },
  });
  using silent = await connect(server);
  using nonsense = await connect(server);
  await say(nonsense, LAST_GET);
  using conn = await Deno.startTls(await connect(server), {
    hostname: "relay.test",
    caCerts: [authority.certificate],
  });
  await say(conn, LAST_GET);
  const octets = new Uint8Array(1000);
  const text = new TextDecoder().decode(octets.subarray(0, await conn.read(octets) ?? 0));
  assert(text.endsWith("https://relay.test/"), text);
  await Promise.all([closedBy(silent), closedBy(nonsense)]);
});

Deno.test("random octets end no server", async () => {
  await using server = await serve(async (request) => new Response(await request.text()), {
    times: { headerMs: 200, requestMs: 200 },
    onError: () => {},
  });
  const pieces = [
    ...[GET, "\r\n", "\r\n\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"],
    ...["5\r\nabcde\r\n", "0\r\n\r\n", "POST ", "\0", "\xff\xfe", ": ", "Expect: 100-continue\r\n"],
    ...["Upgrade: websocket\r\nConnection: Upgrade\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ];
  let seed = 1;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 200; round++) {
    const text = Array.from({ length: 1 + next(8) }, () => pieces[next(pieces.length)]).join("");
    using conn = await connect(server);
    await say(conn, text);
    if (next(2) === 0) await conn.read(new Uint8Array(100)).catch(() => {});
  }
  assert((await talk(server, LAST_GET)).startsWith("HTTP/1.1 200"));
});
