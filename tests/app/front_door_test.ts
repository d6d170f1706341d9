import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FrontDoor, type ServerSettings } from "../../src/app/front_door.ts";
import { Deadlines } from "../../src/base/deadlines.ts";
import { type ListenerConfig, listenersSchema } from "../../src/config/sections/listeners.ts";
import { listenerConfig } from "../../src/config/sections/listeners.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { NO_USAGE_RULES, type UsageRules } from "../../src/policy/limits/usage_limits.ts";
import { OPEN_RULES } from "../../src/reception/rules.ts";
import { MemorySink } from "../smtp/server/memory_sink.ts";
import { TestAuthenticator } from "../smtp/server/test_authenticator.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { PlainClient } from "../support/plain_client.ts";
import { readAll } from "../support/read_all.ts";

const MINUTE_MS = 60_000;
const V1 = "PROXY TCP4 192.0.2.9 198.51.100.2 56789 25\r\n";

interface Setup extends AsyncDisposable {
  readonly door: FrontDoor;
  readonly port: number;
  readonly sink: MemorySink;
  readonly clock: ManualClock;
  readonly events: RelayEvent[];
  readonly settings: ServerSettings;
}

/** An open door on loopback whose clock stands still. */
async function openDoor(
  { listener = {}, usage = {} }: {
    listener?: Partial<ListenerConfig>;
    usage?: Partial<UsageRules>;
  } = {},
): Promise<Setup> {
  const clock = new ManualClock(Date.UTC(2026, 10, 23));
  const deadlines = new Deadlines({ clock });
  const sink = new MemorySink();
  const events: RelayEvent[] = [];
  const settings: ServerSettings = {
    hostname: "relay.example",
    sink,
    rules: OPEN_RULES,
    shared: {
      authenticator: new TestAuthenticator(),
      aliases: null,
      startQueue: null,
      upgrade: () => null,
    },
    usage: { ...NO_USAGE_RULES, ...usage },
    events: (event) => events.push(event),
    deadlines,
    clock,
    limits: {},
  };
  const door = new FrontDoor({ ...standardListener(), ...listener }, settings);
  await door.open();
  return {
    ...{ door, sink, clock, events, settings },
    port: door.port ?? 0,
    async [Symbol.asyncDispose]() {
      await door.shutdown({ signal: AbortSignal.abort() });
      deadlines[Symbol.dispose]();
    },
  };
}

function standardListener(): ListenerConfig {
  const [listener] = listenersSchema.parse([{ name: "smtp", port: 0 }]);
  if (listener === undefined) throw new Error("no listener");
  return listenerConfig(listener);
}

const BEHIND_BALANCER = { listener: { proxyProtocol: ["127.0.0.1/32"] } };

/** Connects and writes before it listens. */
async function connect(port: number, octets: Uint8Array | string): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(typeof octets === "string" ? new TextEncoder().encode(octets) : octets);
  return conn;
}

/** All that the server says until it closes. */
async function answersOf(conn: Deno.TcpConn): Promise<string> {
  using _conn = conn;
  return await readAll(conn);
}

const SESSION = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.com>\r\n" +
  "DATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n";

Deno.test("front door: behind a balancer the client's address counts everywhere", async () => {
  await using setup = await openDoor(BEHIND_BALANCER);
  await answersOf(await connect(setup.port, V1 + SESSION));
  const [message] = setup.sink.stored;
  assertEquals(message?.origin.clientAddress, "192.0.2.9");
  assertMatch(message?.head ?? "", /\[192\.0\.2\.9\]/);
  const addresses = setup.events.flatMap((event) =>
    "clientAddress" in event ? [event.clientAddress] : []
  );
  assertEquals(new Set(addresses), new Set(["192.0.2.9"]));
  assertEquals(setup.door.sessions, 0);
});

Deno.test("front door: version 2 of the header is understood as well", async () => {
  await using setup = await openDoor(BEHIND_BALANCER);
  const addresses = [192, 0, 2, 10, 198, 51, 100, 2, 0x10, 0x00, 0, 25];
  const header = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 12];
  const session = new TextEncoder().encode(SESSION);
  await answersOf(await connect(setup.port, Uint8Array.of(...header, ...addresses, ...session)));
  assertEquals(setup.sink.stored[0]?.origin.clientAddress, "192.0.2.10");
});

Deno.test("front door: a balancer without a header is not served, which is told once", async () => {
  await using setup = await openDoor(BEHIND_BALANCER);
  for (let count = 0; count < 3; count++) {
    assertEquals(await answersOf(await connect(setup.port, "EHLO c.example\r\n")), "");
  }
  assertEquals(setup.events.filter(({ type }) => type === "trouble").length, 1);
  assertEquals(setup.door.sessions, 0);
});

Deno.test("front door: a header from anyone else is no command", async () => {
  await using setup = await openDoor({ listener: { proxyProtocol: ["192.0.2.0/24"] } });
  const output = await answersOf(await connect(setup.port, `${V1}${SESSION}`));
  assertMatch(output, /^220 [^\n]*\n500 5\.5\.2/);
  assertEquals(setup.sink.stored[0]?.origin.clientAddress, "127.0.0.1");
});

Deno.test("front door: shutting down does not wait for a header", async () => {
  const setup = await openDoor(BEHIND_BALANCER);
  const conn = await connect(setup.port, "PROXY ");
  await using told = await openDoor(); // its round trip lets the first connection be accepted
  using client = await PlainClient.connect(told.port);
  await client.command("NOOP");
  await setup[Symbol.asyncDispose]();
  assertEquals(await answersOf(conn), "");
});

Deno.test("front door: clients behind a balancer are counted one by one", async () => {
  await using setup = await openDoor({
    listener: { proxyProtocol: ["127.0.0.1/32"], maxConnectionsPerAddress: 1 },
  });
  const first = await connect(setup.port, V1);
  await first.read(new Uint8Array(100));
  assertMatch(await answersOf(await connect(setup.port, V1)), /^421 4\.7\.0/);
  const other = await connect(setup.port, `${V1.replace("192.0.2.9", "192.0.2.7")}QUIT\r\n`);
  assertMatch(await answersOf(other), /^220 /);
  first.close();
});

Deno.test("front door: too many new connections get 421 until time has passed", async () => {
  const usage = { client: { connections: { limit: 2, perMs: MINUTE_MS } } };
  await using setup = await openDoor({ usage });
  for (const code of [220, 220, 421, 421]) {
    const output = await answersOf(await connect(setup.port, "QUIT\r\n"));
    assertEquals(Number(output.slice(0, 3)), code);
  }
  await setup.clock.advance(2 * MINUTE_MS);
  assertMatch(await answersOf(await connect(setup.port, "QUIT\r\n")), /^220/);
});

Deno.test("front door: too many messages, recipients and octets are told at the command", async () => {
  const usage = {
    client: {
      messages: { limit: 3, perMs: MINUTE_MS },
      recipients: { limit: 2, perMs: MINUTE_MS },
      bytes: { limit: 100, perMs: MINUTE_MS },
    },
  };
  await using setup = await openDoor({ usage });
  using client = await PlainClient.greet(setup.port);
  const message = { from: "a@b.example", to: ["c@example.com"] };
  const data = new TextEncoder().encode(`Subject: x\r\n\r\n${"x".repeat(200)}\r\n`);
  assertEquals((await client.send({ ...message, data })).reply.code, 250);
  const second = await client.command("MAIL FROM:<a@b.example>");
  assertEquals([second.code, second.lines], [450, [
    "4.7.1 Too much mail from your address, try again later",
  ]]);
});

Deno.test("front door: recipients beyond the rate are refused one by one", async () => {
  const usage = { listener: { recipients: { limit: 2, perMs: MINUTE_MS } } };
  await using setup = await openDoor({ usage });
  using client = await PlainClient.greet(setup.port);
  await client.command("MAIL FROM:<a@b.example>");
  const codes: number[] = [];
  for (let count = 0; count < 4; count++) {
    codes.push((await client.command(`RCPT TO:<c${count}@example.com>`)).code);
  }
  assertEquals(codes, [250, 250, 451, 451]);
});

Deno.test("front door: errors of earlier sessions count, unless the network is exempt", async () => {
  const client = { errors: { limit: 3, perMs: MINUTE_MS } };
  await using setup = await openDoor({ usage: { client } });
  const output = await answersOf(await connect(setup.port, "X\r\n".repeat(9)));
  assertEquals(output.match(/^\d+/gm), ["220", "500", "500", "500", "421"]);
  assertMatch(await answersOf(await connect(setup.port, "")), /^421 4\.7\.0/);
  const exempt = [{ octets: Uint8Array.of(127, 0, 0, 0), prefixBits: 8 }];
  setup.door.reload(setup.door.config, {
    ...setup.settings,
    usage: { client, listener: {}, exempt },
  });
  assertMatch(await answersOf(await connect(setup.port, "QUIT\r\n")), /^220/);
});

Deno.test("front door: after the store was full, MAIL is answered with 452 for a while", async () => {
  await using setup = await openDoor();
  using client = await PlainClient.greet(setup.port);
  const message = { from: "a@b.example", to: ["c@example.com"], data: new Uint8Array() };
  setup.sink.result = { kind: "failed", failure: "full" };
  assertEquals((await client.send(message)).reply.code, 452);
  setup.sink.result = { kind: "stored" };
  const told = await client.command("MAIL FROM:<a@b.example>");
  assertEquals([told.code, told.lines], [452, ["4.3.1 Insufficient storage, try again later"]]);
  await setup.clock.advance(2_000);
  assertEquals((await client.send(message)).reply.code, 250);
  assertEquals((await client.send(message)).reply.code, 250);
});

Deno.test("front door: a port in use is an error of opening", async () => {
  await using setup = await openDoor();
  const { port } = setup;
  const second = new FrontDoor({ ...standardListener(), port }, setup.settings);
  await assertRejects(() => second.open());
});

Deno.test("front door: after XCLIENT the limits are those of the client it names", async () => {
  const usage = { client: { messages: { limit: 1, perMs: MINUTE_MS } } };
  const listener = { xclient: ["127.0.0.0/8"], maxConnectionsPerAddress: 1 };
  await using setup = await openDoor({ listener, usage });
  const as = (address: string, commands: string): Promise<string> =>
    connect(setup.port, `XCLIENT ADDR=${address} HELO=c.example\r\n${commands}`).then(answersOf);
  const message = "MAIL FROM:<a@b.example>\r\nQUIT\r\n";
  for (const [address, code] of [["192.0.2.1", 250], ["192.0.2.2", 250], ["192.0.2.1", 450]]) {
    assertMatch(await as(`${address}`, message), new RegExp(`\n${code} [^\n]*\n221 `));
  }
  using held = await PlainClient.connect(setup.port);
  assertEquals((await held.command("XCLIENT ADDR=192.0.2.3")).code, 220);
  assertMatch(await as("192.0.2.3", ""), /\n421 4\.7\.0 Too many connections/);
});
