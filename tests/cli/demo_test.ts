import { assert, assertEquals, assertMatch } from "@std/assert";
import { run, start } from "./support.ts";

Deno.test("demo accounts for every recipient", async () => {
  const { code, out, err } = await run(["demo", "--messages", "60", "--json"]);
  assertEquals([code, err], [0, ""]);
  const results = JSON.parse(out);
  assertEquals(results.accepted, 60);
  assertEquals(results.delivered + results.bounced, results.recipients);
  assert(results.retried > 0);
  assert(results.bounced > 0);
  assertEquals(results.notifications, results.bounced);
  const outcomes = results.deferred.timeline.flatMap((
    { detail }: { detail: { outcomes: { kind: string }[] } },
  ) => detail.outcomes.map(({ kind }) => kind));
  assertEquals(outcomes, ["temporary", "delivered"]);
});

Deno.test("demo tells people what happened", async () => {
  const { code, out } = await run(["demo", "--messages", "8"]);
  assertEquals(code, 0);
  assertMatch(out, /^accepted +8 +messages for 9 recipients$/m);
  assertMatch(out, /^bounced +1 +recipients, 1 notification$/m);
  assertMatch(out, /^What happened to [0-9A-Z]{16}, /m);
  assertMatch(out, / delivered +0 +destination, 127\.0\.0\.1/);
});

Deno.test("demo --keep goes on until it is interrupted", async () => {
  const demo = start(["demo", "--messages", "2", "--keep"]);
  const match = await demo.waitForOutput(/--server (127\.0\.0\.1:\d+)\n[^]*--data-dir (\S+)\/data/);
  const [, server = "", folder = ""] = match;
  const sent = await run(["send", "-q", "-g", "--to", "you@customer.example", "-s", server]);
  assertEquals(sent.code, 0);
  demo.signal("SIGINT");
  assertEquals((await demo.finished).code, 0);
  const isThere = await Deno.stat(folder).then(() => true, () => false);
  assertEquals(isThere, false);
});
