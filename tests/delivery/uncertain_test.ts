import { assertEquals } from "@std/assert";
import type { UncertainPolicy } from "../../src/delivery/retry.ts";
import { reply } from "../../src/mail/reply.ts";
import { FakeTransport, setUp } from "./scheduler_setup.ts";

const UNCERTAIN = {
  kind: "uncertain",
  reply: reply(451, "4.4.2", "mx closed the connection after the end of the message"),
} as const;

const POLICIES: readonly [UncertainPolicy, { state: string; attempts: number; steps: string[] }][] =
  [
    ["retry", { state: "queued", attempts: 1, steps: ["attempt"] }],
    ["hold", { state: "held", attempts: 1, steps: ["attempt", "held"] }],
    ["deliver", { state: "delivered", attempts: 1, steps: ["attempt", "assumed_delivered"] }],
  ];

for (const [uncertain, expected] of POLICIES) {
  Deno.test(`mail that may have been delivered: ${uncertain}`, async () => {
    const out = new FakeTransport({ answer: () => UNCERTAIN });
    const { clock, store, scheduler, events, put } = setUp({ transports: [out], uncertain });
    const id = await put("a.example");
    scheduler.start();
    await clock.advance(0);
    const detail = await store.get(id);
    const [recipient] = detail?.recipients ?? [];
    assertEquals(recipient?.state, expected.state);
    assertEquals(recipient?.attempts, expected.attempts);
    assertEquals(recipient?.lastReply.endsWith("end of the message (maybe sent)"), true);
    assertEquals(detail?.timeline.map(({ kind }) => kind), expected.steps);
    assertEquals(events.map(({ type }) => type), ["uncertain"]);
    await scheduler.stop({ limitMs: 0 });
  });
}

Deno.test("mail that may have been delivered three times is held, with the reason", async () => {
  const temporary = { kind: "temporary", reply: reply(451, "4.3.0", "Later") } as const;
  const outcomes = [UNCERTAIN, temporary, UNCERTAIN, UNCERTAIN, UNCERTAIN];
  let asked = 0;
  const out = new FakeTransport({ answer: () => outcomes[asked++] ?? UNCERTAIN });
  const { clock, store, scheduler, put } = setUp({ transports: [out], uncertain: "retry" });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(86_400_000);
  const held = await store.get(id);
  assertEquals([asked, held?.recipients[0]?.state], [4, "held"]);
  assertEquals(
    held?.recipients[0]?.lastReply,
    "451 4.4.2 mx closed the connection after the end of the message " +
      "(maybe sent 3 times, held: ask the recipient, then cancel or release it)",
  );
  // An operator who releases it gets one more try.
  await store.command({
    filter: { ids: [id] },
    command: { kind: "release" },
    nowMs: clock.now(),
    by: "test",
  });
  scheduler.wake();
  await clock.advance(86_400_000);
  assertEquals([asked, (await store.get(id))?.recipients[0]?.state], [5, "held"]);
  await scheduler.stop({ limitMs: 0 });
});
