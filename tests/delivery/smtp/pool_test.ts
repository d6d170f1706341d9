import { assertEquals, assertStrictEquals } from "@std/assert";
import { Deadlines } from "../../../src/base/deadlines.ts";
import { ConnectionPool, type PoolLimits, type Session } from "../../../src/delivery/smtp/pool.ts";
import { dial } from "../../../src/net/dial.ts";
import { SmtpClient } from "../../../src/smtp/client/client.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { type ScriptedPeer, startScriptedPeer } from "../../support/scripted_peer.ts";

/** A pool on a clock of its own and sessions to put in it. */
class PoolSetup implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly pool: ConnectionPool;
  readonly peer: ScriptedPeer = startScriptedPeer();
  readonly #deadlines = new Deadlines({ clock: this.clock });

  constructor(limits: Partial<PoolLimits> = {}) {
    this.pool = new ConnectionPool({ clock: this.clock, limits, onError: reportError });
  }

  async session(key: string): Promise<Session> {
    const { signal } = new AbortController();
    const dialed = await dial({ address: "127.0.0.1", port: this.peer.port }, { timeoutMs: 5000 });
    if (dialed.kind !== "connected") throw new Error(dialed.reason);
    const opened = await SmtpClient.open(dialed.conn, {
      heloName: key,
      deadlines: this.#deadlines,
      signal,
    });
    if (opened.kind !== "open") throw new Error(opened.kind);
    const hop = { host: key, address: "127.0.0.1", port: this.peer.port };
    return {
      client: opened.client,
      hop,
      key,
      proof: null,
      peer: { capabilities: opened.client.capabilities, protocol: "smtp", loggedIn: false },
      openedAtMs: this.clock.monotonic(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]();
    await this.peer[Symbol.asyncDispose]();
    this.#deadlines[Symbol.dispose]();
  }
}

Deno.test("a session is handed out again for its key, the last one first", async () => {
  await using setup = new PoolSetup();
  const [first, second] = [await setup.session("a"), await setup.session("a")];
  setup.pool.release(first);
  setup.pool.release(second);
  assertStrictEquals(setup.pool.take("b"), null);
  assertStrictEquals(setup.pool.take("a"), second);
  assertStrictEquals(setup.pool.take("a"), first);
  assertStrictEquals(setup.pool.take("a"), null);
  setup.pool.release(first);
  setup.pool.release(second);
  assertEquals(setup.pool.idleCount, 2);
});

Deno.test("a session that waited too long is closed", async () => {
  await using setup = new PoolSetup({ maxIdleMs: 10_000 });
  setup.pool.release(await setup.session("a"));
  await setup.clock.advance(6000);
  setup.pool.release(await setup.session("b"));
  await setup.clock.advance(5000);
  await setup.peer.waitForLine("QUIT");
  assertStrictEquals(setup.pool.take("a"), null);
  assertEquals(setup.pool.idleCount, 1);
  await setup.clock.advance(6000);
  await setup.peer.waitForLine("QUIT", 2);
  assertEquals(setup.pool.idleCount, 0);
});

Deno.test("a session that is too old is closed", async () => {
  await using setup = new PoolSetup({ maxAgeMs: 10_000 });
  const [early, late] = [await setup.session("a"), await setup.session("a")];
  setup.pool.release(early);
  await setup.clock.advance(10_000);
  assertStrictEquals(setup.pool.take("a"), null);
  setup.pool.release(late);
  assertEquals(setup.pool.idleCount, 0);
  await setup.peer.waitForLine("QUIT", 2);
});

Deno.test("above the limit the session that waited longest is closed", async () => {
  await using setup = new PoolSetup({ maxIdle: 2 });
  const [a, b, c] = [
    await setup.session("a"),
    await setup.session("b"),
    await setup.session("c"),
  ];
  for (const session of [a, b, c]) setup.pool.release(session);
  await setup.peer.waitForLine("QUIT");
  assertEquals(setup.pool.idleCount, 2);
  assertStrictEquals(setup.pool.take("a"), null);
  assertStrictEquals(setup.pool.take("b"), b);
  setup.pool.release(b);
});

Deno.test("a session that is lost is not kept", async () => {
  await using setup = new PoolSetup();
  const session = await setup.session("a");
  session.client.close();
  setup.pool.release(session);
  assertEquals(setup.pool.idleCount, 0);
});

Deno.test("closing says QUIT on what waits and on what comes back later", async () => {
  await using setup = new PoolSetup();
  const [waiting, busy] = [await setup.session("a"), await setup.session("b")];
  setup.pool.release(waiting);
  await setup.pool[Symbol.asyncDispose]();
  assertEquals(setup.peer.lines.filter((line) => line === "QUIT").length, 1);
  setup.pool.release(busy);
  await setup.peer.waitForLine("QUIT", 2);
});
