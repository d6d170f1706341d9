import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Conn } from "../../src/net/conn.ts";
import { listen } from "../../src/net/listener.ts";
import type { Proxy, ProxyTarget } from "../../src/net/proxy.ts";
import { dialThrough } from "../../src/net/proxy_dial.ts";

const timeoutMs = 10_000;
const credentials = { username: "relay", password: "pässword" };
const target = { host: "mx.example.org", port: 25 };

/** A step of a scripted peer: octets it waits for, then octets it sends. */
type Step = readonly [wanted: Uint8Array, sent: Uint8Array];

const octets = (...values: readonly (number | string)[]): Uint8Array =>
  Uint8Array.from(
    values.flatMap((value) =>
      typeof value === "number" ? [value] : [...new TextEncoder().encode(value)]
    ),
  );

async function read(conn: Conn, sizeBytes: number): Promise<Uint8Array> {
  const into = new Uint8Array(sizeBytes);
  let length = 0;
  while (length < sizeBytes) {
    const more = await conn.read(into.subarray(length));
    if (more === null) break;
    length += more;
  }
  return into.subarray(0, length);
}

/** Dials through a proxy that follows the script, then closes. */
async function through(
  kind: Proxy["kind"],
  { script, to = target, withCredentials = false }: {
    script: readonly Step[];
    to?: ProxyTarget;
    withCredentials?: boolean;
  },
) {
  const following = Promise.withResolvers<void>();
  const follow = async (conn: Conn): Promise<void> => {
    for (const [wanted, sent] of script) {
      assertEquals(await read(conn, wanted.length), wanted);
      for (const octet of sent) await conn.write(Uint8Array.of(octet)); // split everywhere
    }
    conn.close();
  };
  await using listener = await listen({ address: "127.0.0.1", port: 0 }, {
    onConn: (conn) => void follow(conn).then(following.resolve, following.reject),
    onError: following.reject,
  });
  const proxy = { kind, ...listener.local, ...(withCredentials ? { credentials } : {}) };
  const result = await dialThrough(proxy, { target: to, timeoutMs });
  if (script.length > 0) await following.promise;
  return result;
}

async function failure(
  kind: Proxy["kind"],
  options: Parameters<typeof through>[1],
): Promise<readonly [string, string]> {
  const result = await through(kind, options);
  assert(result.kind !== "connected");
  return [result.kind, result.reason];
}

const NO_AUTH: Step = [octets(5, 1, 0), octets(5, 0)];
const REQUEST = octets(5, 1, 0, 3, 14, "mx.example.org", 0, 25);

Deno.test("SOCKS 5 connects to a name", async () => {
  const bound = octets(5, 0, 0, 1, 127, 0, 0, 1, 0, 9);
  const result = await through("socks5", {
    script: [NO_AUTH, [REQUEST, octets(...bound, "220 hi\r\n")]],
  });
  assert(result.kind === "connected");
  assertEquals(result.conn.remote, { address: "mx.example.org", port: 25 });
  assertEquals(await read(result.conn, 8), octets("220 hi\r\n"));
  assertEquals(await result.conn.read(new Uint8Array(1)), null);
  result.conn.close();
});

Deno.test("SOCKS 5 connects to addresses, with a password", async () => {
  const login: Step = [octets(1, 5, "relay", 9, "pässword"), octets(1, 0)];
  const result = await through("socks5", {
    withCredentials: true,
    to: { host: "192.0.2.1", port: 465 },
    script: [
      [octets(5, 1, 2), octets(5, 2)],
      login,
      [octets(5, 1, 0, 1, 192, 0, 2, 1, 1, 0xd1), octets(5, 0, 0, 3, 2, "ab", 0, 9)],
    ],
  });
  assert(result.kind === "connected");
  result.conn.close();

  const ipv6 = [0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 1];
  const other = await through("socks5", {
    to: { host: "2001:db8::1", port: 25 },
    script: [NO_AUTH, [octets(5, 1, 0, 4, ...ipv6, 0, 25), octets(5, 0, 0, 4, ...ipv6, 0, 9)]],
  });
  assert(other.kind === "connected");
  other.conn.close();
});

Deno.test("SOCKS 5 failures of the target and of the proxy are told apart", async () => {
  const reply = (code: number): Promise<readonly [string, string]> =>
    failure("socks5", { script: [NO_AUTH, [REQUEST, octets(5, code, 0, 1)]] });
  assertEquals((await reply(3))[0], "unreachable");
  assertEquals((await reply(4))[0], "unreachable");
  assertEquals((await reply(5))[0], "refused");
  assertEquals((await reply(6))[0], "timeout");
  assertEquals((await reply(1))[0], "other");
  assertEquals(await reply(2), ["denied", "the proxy answered not allowed by its rules (code 2)"]);
  assertEquals((await reply(7))[0], "proxy");
  assertEquals((await reply(8))[0], "unreachable");
  const refusals: readonly (readonly Step[])[] = [
    [[octets(5, 1, 0), octets(5, 0xff)]],
    [[octets(5, 1, 0), octets("HT")]],
    [[octets(5, 1, 0), octets(5)]],
    [NO_AUTH, [REQUEST, octets(5, 0, 0, 7)]],
  ];
  for (const script of refusals) assertEquals((await failure("socks5", { script }))[0], "proxy");
  const wrong = await failure("socks5", {
    withCredentials: true,
    script: [[octets(5, 1, 2), octets(5, 2)], [octets(1, 5, "relay", 9, "pässword"), octets(1, 1)]],
  });
  assertStringIncludes(wrong[1], "password");
  const long = { host: "x".repeat(256), port: 25 };
  assertEquals((await failure("socks5", { script: [], to: long }))[0], "proxy");
});

const CONNECT = "CONNECT mx.example.org:25 HTTP/1.1\r\nHost: mx.example.org:25\r\n";

Deno.test("HTTP CONNECT opens a tunnel and loses nothing that comes with the answer", async () => {
  const answer = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n220 hi\r\n";
  const result = await through("http", { script: [[octets(`${CONNECT}\r\n`), octets(answer)]] });
  assert(result.kind === "connected");
  assertEquals(await read(result.conn, 8), octets("220 hi\r\n"));
  result.conn.close();
});

Deno.test("HTTP CONNECT sends credentials and brackets", async () => {
  const line = "Proxy-Authorization: Basic cmVsYXk6cMOkc3N3b3Jk\r\n";
  const script: Step = [octets(`${CONNECT}${line}\r\n`), octets("HTTP/1.0 200\r\n\r\n")];
  const result = await through("http", { script: [script], withCredentials: true });
  assert(result.kind === "connected");
  result.conn.close();
  const literal = "CONNECT [2001:db8::1]:25 HTTP/1.1\r\nHost: [2001:db8::1]:25\r\n\r\n";
  const other = await through("http", {
    to: { host: "2001:db8::1", port: 25 },
    script: [[octets(literal), octets("HTTP/1.1 204 No Content\r\n\r\n")]],
  });
  assert(other.kind === "connected");
  other.conn.close();
});

Deno.test("HTTP CONNECT failures of the target and of the proxy are told apart", async () => {
  const answered = (answer: string): Promise<readonly [string, string]> =>
    failure("http", { script: [[octets(`${CONNECT}\r\n`), octets(answer)]] });
  const status = async (answer: string): Promise<string> => (await answered(answer))[0];
  assertEquals(
    await answered("HTTP/1.1 403 Not\nfor you\r\n\r\n"),
    ["denied", "the proxy answered 403 Not?for you"],
  );
  assertEquals(await status("HTTP/1.0 500 Unable to connect\r\n\r\n"), "unreachable");
  assertEquals(await status("HTTP/1.1 502 Bad Gateway\r\n\r\n"), "unreachable");
  assertEquals(await status("HTTP/1.1 504 Gateway Timeout\r\n\r\n"), "timeout");
  assertEquals(await status("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), "proxy");
  assertEquals(await status("220 mx.example.org ESMTP\r\n\r\n"), "proxy");
  assertEquals(await status("HTTP/1.1 200 OK\r\n"), "proxy");
  const smuggling = { host: "mx.example.org:25 HTTP/1.1\r\nX: y", port: 25 };
  assertEquals((await failure("http", { script: [], to: smuggling }))[0], "proxy");
});

Deno.test("a proxy that is not there or does not answer is told", async () => {
  const port = (() => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    return listener.addr.port;
  })();
  const gone = { kind: "socks5", address: "127.0.0.1", port } as const;
  assertEquals((await dialThrough(gone, { target, timeoutMs })).kind, "proxy");

  const held: Conn[] = [];
  await using silent = await listen({ address: "127.0.0.1", port: 0 }, {
    onConn: (conn) => void held.push(conn),
    onError: (error) => {
      throw error;
    },
  });
  const proxy = { kind: "socks5", ...silent.local } as const;
  assertEquals((await dialThrough(proxy, { target, timeoutMs: 30 })).kind, "timeout");
  const signal = AbortSignal.timeout(30);
  assertEquals((await dialThrough(proxy, { target, timeoutMs, signal })).kind, "aborted");
  for (const conn of held) conn.close();
});
