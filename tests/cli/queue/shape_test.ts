import { assertEquals, assertMatch } from "@std/assert";
import { messageOf, recipientOf } from "../../queue/messages.ts";
import { startTestRelay } from "../relay/running_relay.ts";
import { run } from "../support.ts";
import { testQueue } from "./queue_setup.ts";

const HOUR_MS = 3_600_000;

Deno.test("queue shape tells what waits in a queue on this machine", async () => {
  await using queue = await testQueue();
  const nowMs = Date.now();
  await queue.open(async (store) => {
    await store.put(messageOf(1, { receivedAtMs: nowMs, to: ["a@one.example", "b@two.example"] }));
    await store.put(messageOf(2, {
      receivedAtMs: nowMs - 30 * HOUR_MS,
      to: [recipientOf("c@one.example", { state: "held" })],
    }));
  });
  const { code, out } = await queue.run(["shape"], { columns: 160 });
  assertEquals(code, 0);
  assertMatch(out, /^DOMAIN +T +5 +10 +20 .* 1280\+ +WHY$/m);
  assertMatch(out, /^TOTAL +3 +\d .* 1$/m);
  assertMatch(out, /^one\.example +2 .* 1 +1 not tried yet, 1 held$/m);
  const one = await queue.run(["shape", "--domain", "ONE.example"], { columns: 160 });
  assertMatch(one.out, /^held +1 .* 1$/m);
  assertMatch((await queue.run(["shape", "--domain", "none.example"])).out, /^Nothing waits\.$/m);
  const { domainCount } = JSON.parse((await queue.run(["shape", "--json"])).out);
  assertEquals(domainCount, 2);
});

Deno.test("all of a long queue counts, not what the scheduler has in hand", async () => {
  await using relay = await startTestRelay(`queue.store = "memory"`);
  await relay.run(["transports", "pause", "out"]);
  for (const to of ["a@one.example", "b@one.example", "c@two.example"]) {
    const server = `127.0.0.1:${relay.smtpPort}`;
    await run(["send", "-g", "-q", "--from", "me@x.example", "--to", to, "-s", server]);
  }
  assertMatch((await relay.run(["queue", "shape"])).out, /^one\.example +2 /m);
  for (const command of [["destinations", "list"], ["top"]]) {
    assertMatch((await relay.run(command, { columns: 160 })).out, /^one\.example +2 +0 +2 /m);
  }
});
