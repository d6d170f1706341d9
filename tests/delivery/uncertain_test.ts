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
