/** The small parts that connections are made of: what each leaves behind, and where it ends. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Conn } from "../../src/net/conn.ts";
import { ConnCount } from "../../src/net/conn_count.ts";
import { ConnDuplex } from "../../src/net/conn_duplex.ts";
import { connClosed, ConnError, errorCode, toConnError } from "../../src/net/conn_error.ts";
import {
  endpointOf,
  formatEndpoint,
  formatIp,
  parseEndpoint,
  plainAddress,
} from "../../src/net/endpoint.ts";
import { ForwardedConn } from "../../src/net/forwarded_conn.ts";
import { connectOverHttp } from "../../src/net/http_connect.ts";
import { plainConn } from "../../src/net/plain_conn.ts";
import { readFully } from "../../src/net/read_fully.ts";
import { createServerTls } from "../../src/net/server_tls.ts";
import { connectOverSocks } from "../../src/net/socks5.ts";
import { TimeLimit } from "../../src/net/time_limit.ts";
import { TtlCache } from "../../src/net/ttl_cache.ts";
import { selfSigned } from "../support/certificates.ts";
import { ManualClock } from "../support/manual_clock.ts";

const encoder = new TextEncoder();
const octetsOf = (text: string): Uint8Array => encoder.encode(text);
const TARGET = { host: "mx.example.org", port: 25 };

/** A connection that brings these octets, a write each; the `failing`th write fails. */
function stubConn(pieces: readonly (string | readonly number[])[], { failing = -1 } = {}) {
  const waiting = pieces.map((piece) =>
    typeof piece === "string" ? octetsOf(piece) : Uint8Array.from(piece)
  );
  const written: Uint8Array[] = [];
  const sizes: number[] = [];
  let closed = 0;
  const conn = {
    ...{ local: { address: "a", port: 1 }, remote: { address: "b", port: 2 }, tls: null },
    read(into: Uint8Array): Promise<number | null> {
      sizes.push(into.length);
      const next = waiting[0];
      if (next === undefined) return Promise.resolve(null);
      const length = Math.min(next.length, into.length);
      into.set(next.subarray(0, length));
      if (length < next.length) waiting[0] = next.subarray(length);
      else waiting.shift();
      return Promise.resolve(length);
    },
    async write(data: Uint8Array): Promise<void> {
      await Promise.resolve();
      if (written.length === failing) throw new ConnError("reset", { message: "broken pipe" });
      written.push(data.slice());
    },
    close: () => void closed++,
    upgradeToTls: () => Promise.reject(new Error("not here")),
  };
  const text = () => written.map((one) => new TextDecoder().decode(one)).join("");
  return { conn: conn as Conn, written, text, sizes, closed: () => closed };
}

/** A signal that counts its listeners. */
function countedSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  return { controller, signal, listeners: () => listeners };
}

Deno.test("a time limit ends by its time or by its caller, and leaves nothing behind", async () => {
  const clock = new ManualClock();
  const { controller, signal, listeners } = countedSignal();
  const limit = new TimeLimit({ timeoutMs: 50, signal, clock });
  assertEquals([clock.timers, listeners(), limit.failure()], [1, 1, null]);
  limit.clear();
  assertEquals([clock.timers, listeners()], [0, 0]);

  const late = new TimeLimit({ timeoutMs: 50, signal, clock });
  await clock.advance(49);
  assertEquals([late.signal.aborted, late.failure()], [false, null]);
  await clock.advance(1);
  assertEquals(late.signal.aborted, true);
  assertEquals(late.failure(), { kind: "timeout", reason: "no answer within 50 ms" });
  controller.abort();
  assertEquals(late.failure(), { kind: "aborted", reason: "the attempt was given up" });

  const given = new TimeLimit({ timeoutMs: 50, signal: AbortSignal.abort(), clock });
  assertEquals(given.signal.aborted, true);
  const other = new AbortController();
  const both = new TimeLimit({ timeoutMs: 50, signal: other.signal, clock });
  other.abort();
  assertEquals([both.signal.aborted, both.failure()?.kind], [true, "aborted"]);
});

Deno.test("octets are read to their number, or not at all", async () => {
  assertEquals(await readFully(stubConn(["ab", "c", "de"]).conn, 4), octetsOf("abcd"));
  assertEquals((await readFully(stubConn([]).conn, 0)).length, 0);
  const error = await assertRejects(() => readFully(stubConn(["ab"]).conn, 3), ConnError);
  assertEquals(error.kind, "reset");
});

Deno.test("what was read ahead comes first, and goes with the connection", async () => {
  const { conn, closed } = stubConn(["cd"]);
  const ends = { local: { address: "l", port: 1 }, remote: { address: "r", port: 2 } };
  const forwarded = new ForwardedConn(conn, { ahead: octetsOf("ab"), ...ends });
  const into = new Uint8Array(3);
  assertEquals([await forwarded.read(into.subarray(0, 1)), into[0]], [1, 97]);
  assertEquals([await forwarded.read(into), into[0]], [1, 98]);
  assertEquals([await forwarded.read(into), into[0]], [2, 99]);
  assertEquals([forwarded.local, forwarded.remote], [ends.local, ends.remote]);
  const other = stubConn(["cd"]);
  const empty = new ForwardedConn(other.conn, { ahead: octetsOf("ab"), ...ends });
  empty.close();
  assertEquals([await empty.read(into), into[0], other.closed(), closed()], [2, 99, 1, 0]);
});

Deno.test("connections are counted in all and for each client", () => {
  const keyOf = (address: string) => address.slice(0, 2);
  const count = new ConnCount({ maxConnections: 4, maxConnectionsPerAddress: 2 }, { keyOf });
  const entered = ["a 1", "a 2", "a 3", "", "", ""].map((address) => count.enter(address));
  assertEquals([entered, count.total], [[true, true, false, true, true, false], 4]);
  count.leave("a 2");
  count.leave("");
  assertEquals([count.total, count.enter("a 9"), count.enter("a 1"), count.enter("b 1")], [
    ...[2, true, false, true],
  ]);
  for (const address of ["a 1", "a 9", "", "b 1"]) count.leave(address);
  assertEquals(count.total, 0);
  assertEquals([count.enter("a 1"), count.enter("a 1"), count.enter("a 1")], [true, true, false]);
});

const ADDRESSES: readonly [octets: readonly number[], text: string][] = [
  [[192, 0, 2, 1], "192.0.2.1"],
  [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:db8::1"],
  [[0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0xff, 0xfe], "2001:db8:1:2:3:4:5:fffe"],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1], "192.0.2.1"],
];

Deno.test("addresses are written as the runtime writes them", () => {
  for (const [octets, text] of ADDRESSES) assertEquals(formatIp(Uint8Array.from(octets)), text);
  assertEquals(plainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(plainAddress("::FFFF:192.0.2.1"), "192.0.2.1");
  assertEquals([plainAddress("2001:db8::1"), plainAddress("x::ffff:1.2.3.4")], [
    ...["2001:db8::1", "x::ffff:1.2.3.4"],
  ]);
  const of = (address: unknown) => endpointOf(address as Deno.Addr);
  assertEquals(of({ transport: "tcp", hostname: "::ffff:1.2.3.4", port: 5 }), {
    ...{ address: "1.2.3.4", port: 5 },
  });
  assertEquals(of({ transport: "unix", path: "/run/s" }), { address: "/run/s", port: 0 });
  assertEquals(of({ transport: "unix", path: null }), { address: "", port: 0 });
  assertEquals(of({ transport: "vsock", cid: 1, port: 5 }), { address: "", port: 0 });
  const formatted = [["192.0.2.1", 25], ["::1", 25], ["/run/s", 0], ["", 0]] as const;
  assertEquals(formatted.map(([address, port]) => formatEndpoint({ address, port })), [
    ...["192.0.2.1:25", "[::1]:25", "/run/s", "unnamed socket"],
  ]);
});

const ENDPOINTS: readonly [text: string, parsed: string | null][] = [
  ["192.0.2.1", "192.0.2.1 53"],
  ["192.0.2.1:5353", "192.0.2.1 5353"],
  ["[2001:DB8::1]", "2001:DB8::1 53"],
  ["[::1]:65535", "::1 65535"],
  ["::1", "::1 53"],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1 53"],
  ["192.0.2.1:65536", null],
  ["192.0.2.1:123456", null],
  ["192.0.2.1:", null],
  ["dns.example", null],
  ["x192.0.2.1", null],
  ["[::1]x", null],
  ["", null],
];
for (const [text, parsed] of ENDPOINTS) {
  Deno.test(`an endpoint: ${text || "nothing"}`, () => {
    const endpoint = parseEndpoint(text, { defaultPort: 53 });
    assertEquals(endpoint === null ? null : `${endpoint.address} ${endpoint.port}`, parsed);
  });
}

Deno.test("what breaks a connection is typed by its code, else by its class", () => {
  const kindOf = (cause: unknown) => toConnError(cause, { closed: false }).kind;
  const coded = (code: unknown) => Object.assign(new Error("no"), { code });
  for (
    const code of [
      ...["ECONNRESET", "ECONNABORTED", "EPIPE", "ENOTCONN", "EHOSTUNREACH", "ENETUNREACH"],
      "ENETDOWN",
    ]
  ) assertEquals(kindOf(coded(code)), "reset", code);
  assertEquals(kindOf(coded("ETIMEDOUT")), "timeout");
  assertEquals(kindOf(new Deno.errors.InvalidData("alert")), "tls");
  assertEquals(kindOf(new Deno.errors.UnexpectedEof("cut")), "reset");
  assertEquals([kindOf("text"), kindOf(null), kindOf(coded(5))], ["other", "other", "other"]);
  assertEquals(toConnError("why", { closed: false }).message, "Cannot use the connection: why");
  const known = connClosed();
  assertEquals(toConnError(known, { closed: false }) === known, true);
  assertEquals([errorCode(coded("E1")), errorCode(coded(1)), errorCode("x"), errorCode(null)], [
    ...["E1", "", "", ""],
  ]);
});

Deno.test("a write goes on until the socket took all of it", async () => {
  const written: number[] = [];
  let noDelay: boolean | null = null;
  const socket = {
    localAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    remoteAddr: { transport: "tcp", hostname: "::ffff:127.0.0.1", port: 2 },
    setNoDelay: (isOn: boolean) => noDelay = isOn,
    write(data: Uint8Array) {
      written.push(...data.subarray(0, 2));
      return Promise.resolve(Math.min(2, data.length));
    },
    close() {},
  };
  const conn = plainConn(socket as unknown as Deno.TcpConn);
  await conn.write(Uint8Array.of(1, 2, 3, 4, 5));
  assertEquals([written, noDelay], [[1, 2, 3, 4, 5], true]);
  assertEquals([conn.local.port, conn.remote.address], [1, "127.0.0.1"]);
  const setNoDelay = (): void => {
    throw new Error("the peer has reset it");
  };
  plainConn({ ...socket, setNoDelay } as unknown as Deno.TcpConn);
});

Deno.test("a stream over a connection reads more at once as more comes, and less again", async () => {
  const { conn, sizes, written, closed } = stubConn([
    ...["first", new Array(512).fill(1), new Array(2048).fill(2), "x", "y"],
  ]);
  const stream = new ConnDuplex(conn, { ahead: octetsOf("ahead") });
  const read: number[] = [];
  for await (const chunk of stream) read.push(chunk.length);
  assertEquals(read.reduce((sum, length) => sum + length, 0), 5 + 5 + 512 + 2048 + 2);
  assertEquals(sizes, [512, 512, 2048, 8192, 512, 512]);
  const other = stubConn([]);
  const out = new ConnDuplex(other.conn);
  await new Promise<void>((resolve) => out.write("a", () => resolve()));
  await new Promise<void>((resolve) => out.write("", () => resolve()));
  assertEquals([other.text(), written.length], ["a", 0]);
  out.destroy();
  await new Promise((resolve) => out.once("close", resolve));
  assertEquals([other.closed(), closed()], [1, 1]);
});

Deno.test("a stream whose connection fails ends with its error", async () => {
  const { conn } = stubConn([], { failing: 0 });
  const stream = new ConnDuplex(conn);
  const error = await new Promise<Error>((resolve) => {
    stream.once("error", resolve);
    stream.write("a");
  });
  assertEquals(error.message, "broken pipe");
});

const SOCKS_OK = [[5, 0], [5, 0, 0, 1, 127, 0, 0, 1, 0, 9]] as const;

Deno.test("SOCKS 5: nothing is asked before what was written before is out", async () => {
  for (const failing of [0, 1]) {
    const { conn } = stubConn(SOCKS_OK, { failing });
    const asking = () => connectOverSocks(conn, { target: TARGET, credentials: null });
    await assertRejects(asking, ConnError, "broken pipe");
  }
  const login = { username: "u", password: "p" };
  for (const failing of [0, 1, 2]) {
    const { conn } = stubConn([[5, 2], [1, 0], ...SOCKS_OK.slice(1)], { failing });
    const asking = () => connectOverSocks(conn, { target: TARGET, credentials: login });
    await assertRejects(asking, ConnError, "broken pipe");
  }
});

Deno.test("SOCKS 5: fields have 1 to 255 octets, and no octet behind the answer is taken", async () => {
  const asked = async (
    host: string,
    credentials: { username: string; password: string } | null,
  ) => {
    const replies = credentials === null ? SOCKS_OK : [[5, 2], [1, 0], ...SOCKS_OK.slice(1)];
    const { conn, written } = stubConn([...replies, "220 hi"]);
    const answer = await connectOverSocks(conn, { target: { host, port: 0x1234 }, credentials });
    const rest = answer.kind === "connected" ? await conn.read(new Uint8Array(9)) : -1;
    return [answer.kind, written.length, rest, [...(written.at(-1) ?? [])].slice(-2)];
  };
  const port = [0x12, 0x34];
  assertEquals(await asked("x".repeat(255), null), ["connected", 2, 6, port]);
  assertEquals(await asked("x".repeat(256), null), ["proxy", 0, -1, []]);
  assertEquals(await asked("", null), ["proxy", 0, -1, []]);
  const long = "p".repeat(255);
  assertEquals(await asked("x", { username: long, password: long }), ["connected", 3, 6, port]);
  for (const [username, password] of [["", "p"], ["u", ""], [`${long}p`, "p"], ["u", `${long}p`]]) {
    const login = { username: username ?? "", password: password ?? "" };
    assertEquals((await asked("x", login)).slice(0, 2), ["proxy", 1]);
  }
});

Deno.test("SOCKS 5: each reply has its words", async () => {
  const reason = async (code: number) => {
    const { conn } = stubConn([[5, 0], [5, code, 0, 1]]);
    const answer = await connectOverSocks(conn, { target: TARGET, credentials: null });
    return answer.kind === "connected" ? "" : `${answer.kind}: ${answer.reason}`;
  };
  assertEquals(await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9].map(reason)), [
    "other: the proxy answered general failure (code 1)",
    "denied: the proxy answered not allowed by its rules (code 2)",
    "unreachable: the proxy answered network unreachable (code 3)",
    "unreachable: the proxy answered host unreachable (code 4)",
    "refused: the proxy answered connection refused (code 5)",
    "timeout: the proxy answered no answer in time (code 6)",
    "proxy: The proxy failed: it refuses with code 7",
    "unreachable: the proxy answered no such kind of address (code 8)",
    "proxy: The proxy failed: it refuses with code 9",
  ]);
});

/** What an HTTP proxy's answer comes to. */
async function overHttp(
  pieces: readonly string[],
  { host = "mx.example.org", failing = -1 } = {},
): Promise<string> {
  const { conn } = stubConn(pieces, { failing });
  const answer = await connectOverHttp(conn, { target: { host, port: 25 }, credentials: null });
  if (answer.kind !== "connected") return `${answer.kind}: ${answer.reason}`;
  return `connected ${new TextDecoder().decode(answer.ahead)}`;
}

const HTTP_ANSWERS: readonly [answer: string, expected: string][] = [
  ["HTTP/1.1 200 OK\r\n\r\nahead", "connected ahead"],
  ["HTTP/1.0 299\r\n\r\n", "connected "],
  ["HTTP/1.1 199 Wait\r\n\r\n", "proxy: The proxy failed: it refuses with status 199"],
  ["HTTP/1.1 300 Where\r\n\r\n", "proxy: The proxy failed: it refuses with status 300"],
  ["HTTP/1.1 399 Where\r\n\r\n", "proxy: The proxy failed: it refuses with status 399"],
  ["HTTP/1.1 400 Bad\r\n\r\n", "denied: the proxy answered 400 Bad"],
  ["HTTP/1.1 401 Who\r\n\r\n", "proxy: The proxy failed: it refuses with status 401"],
  ["HTTP/1.1 407 Who\r\n\r\n", "proxy: The proxy failed: it refuses with status 407"],
  ["HTTP/1.1 499 No\r\n\r\n", "denied: the proxy answered 499 No"],
  ["HTTP/1.1 500 Oh\r\n\r\n", "unreachable: the proxy answered 500 Oh"],
  ["HTTP/1.1 504 Late\r\n\r\n", "timeout: the proxy answered 504 Late"],
  ["HTTP/2 200 OK\r\n\r\n", "proxy: The proxy failed: it does not speak HTTP/1.1"],
  ["HTTP/1.1 2000 OK\r\n\r\n", "proxy: The proxy failed: it does not speak HTTP/1.1"],
  [
    `HTTP/1.1 403 ${"x".repeat(90)}\x07\r\n\r\n`,
    `denied: the proxy answered 403 ${"x".repeat(76)}`,
  ],
];
for (const [answer, expected] of HTTP_ANSWERS) {
  Deno.test(`HTTP CONNECT: ${answer.slice(0, 24).trim()}`, async () => {
    assertEquals(await overHttp([answer]), expected);
    assertEquals(await overHttp([answer.slice(0, 9), answer.slice(9)]), expected);
  });
}

Deno.test("HTTP CONNECT: an answer has so much room, and its request is written whole first", async () => {
  const head = "HTTP/1.1 200 OK\r\nx: ";
  const fill = (bytes: number) => `${head}${"x".repeat(bytes - head.length - 4)}\r\n\r\n`;
  assertEquals(await overHttp([fill(17_408)]), "connected ");
  const tooLong = "proxy: The proxy failed: its answer is too long";
  assertEquals(await overHttp([fill(17_409)]), tooLong);
  assertEquals(
    await overHttp(["HTTP/1.1 200 OK\r\n"]),
    "proxy: The proxy failed: it closed the connection",
  );
  await assertRejects(() => overHttp(["HTTP/1.1 200 OK\r\n\r\n"], { failing: 0 }), ConnError);
  assertEquals((await overHttp([], { host: "a b" })).split(":")[0], "proxy");
});

Deno.test("a value is good for its time, and the one unused longest goes first", async () => {
  const clock = new ManualClock();
  const cache = new TtlCache<string>({ clock, maxEntries: 2 });
  cache.set("a", "one", { ttlMs: 10 });
  assertEquals(cache.get("a"), { value: "one", ttlMs: 10 });
  await clock.advance(9);
  assertEquals(cache.get("a"), { value: "one", ttlMs: 1 });
  await clock.advance(1);
  assertEquals(cache.get("a"), null);
  cache.set("a", "one", { ttlMs: 10 });
  cache.set("b", "two", { ttlMs: 10 });
  cache.set("b", "three", { ttlMs: 10 });
  assertEquals([cache.get("a")?.value, cache.get("b")?.value], ["one", "three"]);
  cache.get("a");
  cache.set("c", "four", { ttlMs: 10 });
  assertEquals([cache.get("a")?.value, cache.get("b"), cache.get("c")?.value], [
    ...["one", null, "four"],
  ]);
  cache.set("a", "none", { ttlMs: 0 });
  assertEquals(cache.get("a"), null);
  cache.clear();
  assertEquals(cache.get("c"), null);
});

Deno.test("the clients found trusted are so many, and the one not seen longest is forgotten", () => {
  const { current } = createServerTls({ certificates: [selfSigned({ names: ["relay.test"] })] });
  current.trustClient("first");
  current.trustClient("second");
  for (let count = 0; count < 9_998; count++) current.trustClient(`c${count}`);
  assertEquals([current.trustsClient("first"), current.trustsClient("c9997")], [true, true]);
  current.trustClient("first");
  current.trustClient("new");
  assertEquals(["first", "second", "c0", "new"].map((one) => current.trustsClient(one)), [
    ...[true, false, true, true],
  ]);
});

Deno.test("the certificate is that of the name, of its wildcard, or the first", () => {
  const pairs = [["first.test"], ["Own.test", "*.wild.test"], ["own.test", "a.wild.test"]];
  const certificates = pairs.map((names) => selfSigned({ names }));
  const { current } = createServerTls({ certificates });
  const of = (name: string | null) => current.contextFor(name);
  const first = of(null);
  const second = of("OWN.test");
  const third = of("a.wild.test");
  assertEquals(new Set([first, second, third]).size, 3);
  assertEquals(
    [of("unknown.test"), of("wild.test"), of("b.a.wild.test"), of("test")].map((one) =>
      one === first
    ),
    [true, true, true, true],
  );
  assertEquals([of("b.wild.test") === second, of("first.test") === first], [true, true]);
  assertEquals(current.choosesByName, true);
  const single = createServerTls({ certificates: certificates.slice(0, 1) }).current;
  assertEquals([single.choosesByName, single.requestsClientCertificates, single.hasClientRoots], [
    ...[false, false, false],
  ]);
  const asking = createServerTls({
    ...{ certificates, requestClientCertificates: true },
    clientCa: [certificates[0]?.certificate ?? ""],
  }).current;
  assertEquals([asking.requestsClientCertificates, asking.hasClientRoots], [true, true]);
});
