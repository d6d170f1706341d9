import { assert, assertEquals } from "@std/assert";
import { FailureLimit } from "../../src/admin/guard/rate_limit.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { parseNetwork } from "../../src/policy/network.ts";
import { EventsApp } from "../../src/provider_events/app.ts";
import type { Reception } from "../../src/provider_events/receiver.ts";
import { StoreError } from "../../src/queue/store.ts";
import { ManualClock } from "../support/manual_clock.ts";

const TAKEN: Reception = { kind: "taken", reports: 1 };
const PEER = "203.0.113.7";

function bench(receive: (text: string) => Reception | Promise<Reception> = () => TAKEN) {
  const events: RelayEvent[] = [];
  const bodies: string[] = [];
  const clock = new ManualClock();
  const loopback = parseNetwork("127.0.0.0/8");
  assert(loopback.kind === "ok");
  const app = new EventsApp({
    sources: [{ name: "mg.1", read: () => ({ kind: "forged", why: "never asked" }) }],
    receiver: {
      async receive(_source, { body }) {
        const text = new TextDecoder().decode(body);
        bodies.push(text);
        return await receive(text);
      },
    },
    failures: new FailureLimit({ clock }),
    proxies: [loopback.network],
    ...{ clock, events: (event) => events.push(event) },
  });
  const send = (init: RequestInit = {}, { path = "/events/mg.1", peer = PEER } = {}) =>
    app.fetch(new Request(`http://relay.test${path}`, { method: "POST", body: "{}", ...init }), {
      peer,
    });
  return { send, events, bodies, clock };
}

Deno.test("provider events: 200 comes after all is stored", async () => {
  const stored = Promise.withResolvers<Reception>();
  const { send, bodies } = bench(() => stored.promise);
  let isAnswered = false;
  const answer = send({ body: "told" }).then((response) => {
    isAnswered = true;
    return response;
  });
  while (bodies.length === 0) await Promise.resolve();
  assert(!isAnswered);
  stored.resolve(TAKEN);
  assertEquals((await answer).status, 200);
  assertEquals(bodies, ["told"]);
});

Deno.test("provider events: only the addresses of sources are there, for POST alone", async () => {
  const { send, bodies } = bench();
  for (
    const path of ["/", "/events", "/events/", "/events/other", "/events/mg.1/x", "/%", "/events/%"]
  ) {
    assertEquals((await send({}, { path })).status, 404, path);
  }
  const get = await send({ method: "GET", body: null });
  assertEquals([get.status, get.headers.get("allow")], [405, "POST"]);
  assertEquals(bodies, []);
  assertEquals((await send({}, { path: "/events/mg%2E1?x=1" })).status, 200);
});

Deno.test("provider events: a refusal tells nothing but its status, and the log why", async () => {
  const rows: [Reception, number][] = [
    [{ kind: "forged", why: "it is not signed" }, 401],
    [{ kind: "malformed", why: "it has no event" }, 400],
    [{ kind: "undecided", why: "its certificate cannot be had" }, 503],
  ];
  for (const [reception, status] of rows) {
    const { send, events } = bench(() => reception);
    const response = await send();
    assertEquals([response.status, await response.text()], [status, ""]);
    const [event] = events;
    assert(event?.type === "trouble" && event.level === "warning");
    assert(reception.kind !== "taken" && event.message.includes(reception.why));
    assert(event.message.includes(PEER));
  }
});

Deno.test("provider events: what cannot be stored is asked for again", async () => {
  for (const error of [new StoreError("full", "no space"), new TypeError("a fault")]) {
    const { send, events } = bench(() => Promise.reject(error));
    const response = await send();
    assertEquals([response.status, await response.text()], [503, ""]);
    assert(response.headers.has("retry-after"));
    assertEquals(events.length, 1);
  }
});

Deno.test("provider events: bodies have an end", async () => {
  const { send, bodies } = bench();
  const long = new Uint8Array(2 * 1024 * 1024 + 1);
  const said = await send({ body: long, headers: { "content-length": String(long.length) } });
  assertEquals(said.status, 413);
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(64 * 1024));
    },
  });
  assertEquals((await send({ body: endless })).status, 413);
  assert(pulled < 40);
  assertEquals(bodies, []);
  assertEquals((await send({ body: long.subarray(1) })).status, 200);
});

Deno.test("provider events: who is wrong too often has to wait, and nobody else", async () => {
  const { send, bodies, clock } = bench((text) =>
    text === "good" ? TAKEN : { kind: "forged", why: "it is not signed" }
  );
  for (let count = 0; count < 10; count++) assertEquals((await send()).status, 401);
  const limited = await send({ body: "good" });
  assertEquals([limited.status, limited.headers.get("retry-after")], [429, "30"]);
  assertEquals(bodies.length, 10);
  assertEquals((await send({ body: "good" }, { peer: "203.0.113.8" })).status, 200);
  const through = (client: string) =>
    send({ body: "good", headers: { "x-forwarded-for": client } }, { peer: "127.0.0.1" });
  assertEquals((await through(`203.0.113.8, ${PEER}`)).status, 429);
  assertEquals((await through(`${PEER}, 203.0.113.8`)).status, 200);
  assertEquals((await through("nonsense")).status, 200);
  const lying = { body: "good", headers: { "x-forwarded-for": "203.0.113.8" } };
  assertEquals((await send(lying)).status, 429, "it is no proxy of ours");
  await clock.advance(30_000);
  assertEquals((await send({ body: "good" })).status, 200);
});

Deno.test("provider events: no more requests are at work than memory allows", async () => {
  const stored = Promise.withResolvers<Reception>();
  const { send } = bench(() => stored.promise);
  const answers = Array.from({ length: 16 }, () => send());
  const busy = await send();
  assertEquals([busy.status, busy.headers.get("retry-after")], [503, "5"]);
  stored.resolve(TAKEN);
  for (const answer of answers) assertEquals((await answer).status, 200);
  assertEquals((await send()).status, 200);
});

Deno.test("provider events: who holds a body back loses the connection, and then has to wait", async () => {
  const { send, bodies, clock } = bench();
  const slow = () => new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const answers = Array.from({ length: 12 }, () => send({ body: slow() }));
  await clock.advance(10_000);
  for (const answer of answers) assertEquals((await answer).status, 408);
  assertEquals((await send()).status, 429);
  assertEquals(bodies, []);
  const others = await send({}, { peer: "203.0.113.8" });
  assertEquals(others.status, 200);
});

Deno.test("provider events: the log repeats little of what a request says", async () => {
  const { send, events } = bench(() => ({
    ...{ kind: "forged", why: `its topic is \u001b[2J${"x".repeat(1_000_000)}` },
  }));
  await send();
  const [event] = events;
  assert(event?.type === "trouble" && event.message.length < 400);
  assert(!event.message.includes("\u001b"));
});
