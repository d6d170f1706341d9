/** After a success or a failure nobody listens for an abort any more, and no timer is left. */
import { assertEquals } from "@std/assert";
import { decode, encode } from "dns-packet";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { seededRandom } from "../../src/base/random.ts";
import { dial, type DialTarget } from "../../src/net/dial.ts";
import { exchange } from "../../src/net/dns_exchange.ts";
import { dialHttp } from "../../src/net/http_dial.ts";
import { dialThrough } from "../../src/net/proxy_dial.ts";
import { SmtpClient } from "../../src/smtp/client/client.ts";
import { untilAborted } from "../../src/delivery/smtp/until_aborted.ts";
import { Deadlines } from "../../src/base/deadlines.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { startScriptedPeer } from "../support/scripted_peer.ts";

/** A signal that counts its listeners; those that are heard once go by themselves. */
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

/** A port on which nothing listens. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("dialling leaves no listener and no timer, failed or not", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/s`;
  using unix = Deno.listen({ transport: "unix", path });
  using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = tcp.addr;
  const local = { address: "127.0.0.1", localAddress: "127.0.0.2" };
  const targets: readonly (readonly [DialTarget, string])[] = [
    [{ address: "127.0.0.1", port }, "connected"],
    [{ address: "127.0.0.1", port: closedPort() }, "refused"],
    [{ ...local, port }, "connected"],
    [{ ...local, port: closedPort() }, "refused"],
    [{ path }, "connected"],
    [{ path: `${folder}/gone` }, "unreachable"],
  ];
  for (const [target, kind] of targets) {
    const clock = new ManualClock();
    const { signal, listeners } = countedSignal();
    const result = await dial(target, { timeoutMs: 5_000, signal, clock });
    assertEquals([result.kind, listeners(), clock.timers], [kind, 0, 0]);
    if (result.kind === "connected") result.conn.close();
  }
  for (const source of [tcp, tcp, unix]) (await source.accept()).close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a dial that is given up while it waits ends at once, and its socket with it", async () => {
  const clock = new ManualClock();
  const { controller, signal, listeners } = countedSignal();
  // No packet comes back from there.
  const target = { address: "198.51.100.1", port: 25, localAddress: "127.0.0.1" };
  const dialling = dial(target, { timeoutMs: 60_000, signal, clock });
  controller.abort();
  const { kind } = await dialling;
  assertEquals([kind === "connected", clock.timers, listeners()], [false, 0, 0]);
});

Deno.test("a proxy that answers or fails leaves no listener and no timer", async () => {
  for (const kind of ["socks5", "http"] as const) {
    for (const answer of ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"]) {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const clock = new ManualClock();
      const { signal, listeners } = countedSignal();
      const dialling = dialThrough({ kind, address: "127.0.0.1", port: listener.addr.port }, {
        ...{ target: { host: "a.example", port: 25 }, timeoutMs: 60_000, signal, clock },
      });
      const conn = await listener.accept();
      await conn.read(new Uint8Array(1_000));
      await conn.write(new TextEncoder().encode(answer));
      conn.close();
      const result = await dialling;
      if (result.kind === "connected") result.conn.close();
      assertEquals([listeners(), clock.timers], [0, 0], `${kind} ${answer}`);
    }
  }
});

Deno.test("a request that connects leaves no listener and no timer", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const clock = new ManualClock();
  const { signal, listeners } = countedSignal();
  const to = (port: number, secure: boolean) =>
    dialHttp({ host: "127.0.0.1", port, secure }, { origin: {}, signal, clock });
  const dialling = to(listener.addr.port, false);
  (await listener.accept()).close();
  (await dialling).close();
  const securing = to(listener.addr.port, true).catch((error) => error.name);
  (await listener.accept()).close();
  assertEquals(await securing, "NoConnection");
  assertEquals(await to(closedPort(), false).catch((error) => error.reason), "refused");
  assertEquals([listeners(), clock.timers], [0, 0]);
});

/** A server that answers over UDP that it has more to say, and over TCP as a test says. */
async function truncatingServer(onTcp: (conn: Deno.Conn, query: Uint8Array) => Promise<void>) {
  const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = createSocket("udp4");
  const { port } = tcp.addr;
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
  socket.on("message", (bytes, client) => {
    const { id = 0, questions = [] } = decode(bytes);
    const flags = 0x0200; // TC
    socket.send(encode({ type: "response", id, flags, questions }), client.port, client.address);
  });
  const serving = (async () => {
    for await (const conn of tcp) {
      const frame = new Uint8Array(512);
      const length = await conn.read(frame) ?? 0;
      await onTcp(conn, frame.subarray(2, length)).catch(() => {});
      conn.close();
    }
  })();
  return {
    server: { address: "127.0.0.1", port },
    async [Symbol.asyncDispose]() {
      tcp.close();
      await serving;
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

function answerTo(
  query: Uint8Array,
  { id, name }: { id?: number; name?: string } = {},
): Uint8Array {
  const asked = decode(Buffer.from(query));
  const [question] = asked.questions ?? [];
  const owner = name ?? question?.name ?? "";
  return encode({
    ...{ type: "response", id: id ?? asked.id ?? 0, flags: 0 },
    questions: [{ ...question, name: owner }] as never,
    answers: [{ type: "TXT", name: owner, ttl: 60, data: ["here"] }],
  });
}

const framed = (message: Uint8Array) =>
  Uint8Array.from([message.length >> 8, message.length & 255, ...message]);

const TCP_ANSWERS: readonly [string, (query: Uint8Array) => readonly Uint8Array[], string][] = [
  ["whole", (query) => [framed(answerTo(query))], "answered"],
  [
    "in pieces",
    (query) => [...framed(answerTo(query))].map((one) => Uint8Array.of(one)),
    "answered",
  ],
  ["cut off", (query) => [framed(answerTo(query)).subarray(0, -1)], "timeout"],
  ["not at all", () => [], "timeout"],
  ["with another id", (query) => [framed(answerTo(query, { id: 1 }))], "malformed"],
  ["for another name", (query) => [framed(answerTo(query, { name: "x.test" }))], "malformed"],
  ["as nonsense", () => [framed(Uint8Array.of(1, 2, 3))], "malformed"],
];

for (const [how, pieces, kind] of TCP_ANSWERS) {
  Deno.test(`dns exchange: an answer that comes over TCP ${how} is ${kind}`, async () => {
    await using made = await truncatingServer(async (conn, query) => {
      assertEquals(query[11], 1); // EDNS is asked for over TCP, too
      for (const piece of pieces(query)) await conn.write(piece);
    });
    const clock = new ManualClock();
    const { signal, listeners } = countedSignal();
    const found = await exchange({ name: "long.test", type: "TXT" }, {
      ...{ server: made.server, timeoutMs: 60_000, clock, random: seededRandom(1), signal },
    });
    assertEquals(found.kind, kind);
    if (found.kind === "answered") assertEquals(found.records, ["here"]);
    assertEquals([listeners(), clock.timers], [0, 0]);
  });
}

Deno.test("dns exchange: a server that is silent over TCP has its time, and a question its end", async () => {
  const held = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  await using made = await truncatingServer(async () => {
    began.resolve();
    await held.promise;
  });
  for (const how of ["time", "abort"] as const) {
    const clock = new ManualClock();
    const { controller, signal, listeners } = countedSignal();
    const asking = exchange({ name: "long.test", type: "TXT" }, {
      ...{ server: made.server, timeoutMs: 5_000, clock, random: seededRandom(1), signal },
    });
    if (how === "time") {
      await began.promise;
      await clock.advance(5_000);
    } else controller.abort();
    assertEquals(await asking, { kind: "timeout" });
    assertEquals([listeners(), clock.timers], [0, 0]);
  }
  held.resolve();
});

Deno.test("waiting for work leaves no listener, whichever comes first", async () => {
  const { controller, signal, listeners } = countedSignal();
  assertEquals([await untilAborted(Promise.resolve(1), signal), listeners()], [1, 0]);
  const failing = untilAborted(Promise.reject(new Error("no")), signal).catch(() => "failed");
  assertEquals([await failing, listeners()], ["failed", 0]);
  const waiting = untilAborted(new Promise(() => {}), signal);
  controller.abort();
  assertEquals([typeof await waiting, listeners()], ["symbol", 0]);
});

Deno.test("a session that opens, or does not, leaves no listener and no timer", async () => {
  for (const greeting of ["220 hi", "554 no"]) {
    await using peer = startScriptedPeer({ greeting });
    const clock = new ManualClock();
    using deadlines = new Deadlines({ clock });
    const { signal, listeners } = countedSignal();
    const dialled = await dial({ address: "127.0.0.1", port: peer.port }, {
      timeoutMs: 5_000,
      signal,
    });
    if (dialled.kind !== "connected") throw new Error(dialled.reason);
    const options = { heloName: "relay.example", deadlines, signal };
    const opened = await SmtpClient.open(dialled.conn, options);
    assertEquals([opened.kind, listeners()], [greeting === "220 hi" ? "open" : "refused", 0]);
    if (opened.kind === "open") await opened.client.quit();
  }
});
