/**
 * Many clients at once. `POSTHOUSE_LONG=1` takes as many as stand in the README; the short form
 * shows the same with fewer.
 */
import { assert, assertEquals } from "@std/assert";
import { authority, startSecureRelay } from "../smtp/server/secure_relay.ts";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { treeStats } from "../support/process_stats.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { type RelayProcess, startRelay } from "../support/relay_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const IS_LONG = Deno.env.has("POSTHOUSE_LONG");
const IDLE_CLIENTS = IS_LONG ? 5_000 : 500;
const TLS_CLIENTS = IS_LONG ? 1_000 : 100;
const SLOW_CLIENTS = 150;
const LISTENER = "max_connections = 10000\nmax_connections_per_address = 10000";
/** What a session may take that is answered at once; other tests keep the machine busy. */
const AT_ONCE_MS = IS_LONG ? 1_000 : 10_000;
/** Few connections show the cost of one badly: memory comes in large pieces. */
const MAX_IDLE_KIB = IS_LONG ? 10 : 40;
const MAX_IDLE_TLS_KIB = IS_LONG ? 60 : 200;

/** Opens so many connections, some at a time. */
async function openMany<C>(count: number, open: () => Promise<C>): Promise<C[]> {
  const conns: C[] = [];
  let left = count;
  const work = async (): Promise<void> => {
    while (left-- > 0) conns.push(await open());
  };
  await Promise.all(Array.from({ length: 20 }, work));
  return conns;
}

/** Connections that got their greeting and say nothing. */
function openIdle(port: number, count: number): Promise<Deno.TcpConn[]> {
  return openMany(count, async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await expectReply(conn, 220);
    return conn;
  });
}

/** Connections that went inside TLS, introduced themselves there, and say nothing more. */
function openSecure(port: number, count: number): Promise<Deno.TlsConn[]> {
  return openMany(count, async () => {
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    await expectReply(plain, 220);
    await plain.write(new TextEncoder().encode("STARTTLS\r\n"));
    await expectReply(plain, 220);
    const caCerts = [authority.certificate];
    const conn = await Deno.startTls(plain, { hostname: "relay.test", caCerts });
    await conn.write(new TextEncoder().encode("EHLO client.test\r\n"));
    await expectReply(conn, 250);
    return conn;
  });
}

async function expectReply(conn: Deno.Conn, code: number): Promise<void> {
  const buffer = new Uint8Array(1024);
  const length = await conn.read(buffer) ?? 0;
  const text = new TextDecoder().decode(buffer.subarray(0, length));
  assertEquals(text.slice(0, 3), String(code), text);
}

function closeAll(conns: readonly Deno.Conn[]): void {
  for (const conn of conns) conn.close();
}

/** The longest of some whole sessions, each with a message, in milliseconds. */
async function slowestSessionMs({ port }: RelayProcess, sessions = 10): Promise<number> {
  let slowestMs = 0;
  for (let count = 0; count < sessions; count++) {
    const startMs = performance.now();
    using client = await PlainClient.greet(port);
    const { reply } = await client.send({
      from: "a@source.test",
      to: ["b@sink.test"],
      data: sampleMessage(),
    });
    assertEquals(reply.code, 250);
    await client.command("QUIT");
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  }
  return slowestMs;
}

/** Memory of the relay when it is at rest: what is let go is seen only after a collection. */
async function proportionalKib({ pid }: RelayProcess): Promise<number> {
  let leastKib = Infinity;
  for (let look = 0; look < 3; look++) {
    leastKib = Math.min(leastKib, (await treeStats(pid)).proportionalKib);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return leastKib;
}

Deno.test(`crowd: ${IDLE_CLIENTS} idle clients cost little and hold nobody up`, async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  const relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    listener: LISTENER,
    logToFile: true,
  });
  await using _relay = relay;
  closeAll(await openIdle(relay.port, 50)); // all code has run once
  await slowestSessionMs(relay);
  const beforeKib = await proportionalKib(relay);
  const idle = await openIdle(relay.port, IDLE_CLIENTS);
  try {
    const eachKib = (await proportionalKib(relay) - beforeKib) / IDLE_CLIENTS;
    const slowestMs = await slowestSessionMs(relay);
    report(`${IDLE_CLIENTS} idle: ${eachKib.toFixed(1)} KiB each, session ${slowestMs | 0} ms`);
    assert(eachKib <= MAX_IDLE_KIB, `${eachKib} KiB for each idle connection`);
    assert(slowestMs < AT_ONCE_MS, `a session took ${slowestMs} ms`);
  } finally {
    closeAll(idle);
  }
});

Deno.test(`crowd: ${TLS_CLIENTS} idle clients inside TLS hold nobody up`, async () => {
  await using setup = await startSecureRelay({ listener: LISTENER });
  const { relay } = setup;
  closeAll(await openSecure(relay.port, 50));
  await slowestSessionMs(relay);
  const beforeKib = await proportionalKib(relay);
  const idle = await openSecure(relay.port, TLS_CLIENTS);
  try {
    const eachKib = (await proportionalKib(relay) - beforeKib) / TLS_CLIENTS;
    const slowestMs = await slowestSessionMs(relay);
    report(
      `${TLS_CLIENTS} inside TLS: ${eachKib.toFixed(1)} KiB each, session ${slowestMs | 0} ms`,
    );
    assert(eachKib <= MAX_IDLE_TLS_KIB, `${eachKib} KiB for each idle connection`);
    assert(slowestMs < AT_ONCE_MS, `a session took ${slowestMs} ms`);
  } finally {
    closeAll(idle);
  }
});

Deno.test(`crowd: ${SLOW_CLIENTS} clients that send octet by octet hold nobody up`, async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  const relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    listener: LISTENER,
  });
  await using _relay = relay;
  const slow = await openIdle(relay.port, SLOW_CLIENTS);
  const timers = slow.map((conn, index) => trickle(conn, index * 5_000 / SLOW_CLIENTS));
  try {
    const slowestMs = await slowestSessionMs(relay, IS_LONG ? 1000 : 20);
    report(`${SLOW_CLIENTS} slow clients: session ${slowestMs | 0} ms`);
    assert(slowestMs < AT_ONCE_MS, `a session took ${slowestMs} ms`);
  } finally {
    await Promise.all(timers.map((stop) => stop()));
    closeAll(slow);
  }
});

/** One octet every five seconds, the first after `delayMs`. Returns how to stop it. */
function trickle(conn: Deno.TcpConn, delayMs: number): () => Promise<void> {
  const text = new TextEncoder().encode("EHLO slow.client.test\r\n".repeat(20));
  let at = 0;
  let written: Promise<unknown> = Promise.resolve();
  const write = (): void => {
    written = conn.write(text.subarray(at, ++at));
    timer = setTimeout(write, 5_000);
  };
  let timer = setTimeout(write, delayMs);
  return async () => {
    clearTimeout(timer);
    await written;
  };
}

Deno.test("crowd: clients that take nothing hold nobody up", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  const relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    listener: LISTENER,
  });
  await using _relay = relay;
  const deaf = await openIdle(relay.port, 5);
  const flood = new TextEncoder().encode("HELP\r\n".repeat(9_000));
  const writes = deaf.map((conn) => conn.write(flood).catch(() => 0));
  try {
    const slowestMs = await slowestSessionMs(relay);
    report(`5 clients that take nothing: session ${slowestMs | 0} ms`);
    assert(slowestMs < AT_ONCE_MS, `a session took ${slowestMs} ms`);
  } finally {
    closeAll(deaf);
    await Promise.all(writes);
  }
});

function report(line: string): void {
  // deno-lint-ignore no-console
  console.log(line);
}
