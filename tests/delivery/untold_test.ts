/** Notifications that cannot be made: what they are about must not end in silence. */
import { assertEquals, assertMatch } from "@std/assert";
import type { NotificationMaker } from "../../src/delivery/notifications.ts";
import { reply } from "../../src/mail/reply.ts";
import { DELIVERED, FakeTransport, GREYLISTED, setUp, stateOf } from "./scheduler_setup.ts";

const REFUSED = {
  kind: "permanent",
  reply: reply(550, "5.1.1", "No such user"),
} as const;

const BROKEN: readonly (readonly [string, NotificationMaker])[] = [
  ["throws", () => {
    throw new Error("out of ink");
  }],
  ["rejects", () => Promise.reject(new Error("out of ink"))],
];

for (const [how, notifications] of BROKEN) {
  Deno.test(`a failure whose notification ${how} is held for an operator`, async () => {
    const out = new FakeTransport({
      answer: ({ recipients }) => recipients[0]?.domain === "good.example" ? DELIVERED : REFUSED,
    });
    const bench = setUp({ transports: [out], notifications });
    const lost = await bench.put("bad.example", { recipients: 2 });
    const good = await bench.put("good.example");
    bench.scheduler.start();
    await bench.clock.advance(1_000);
    assertEquals(await stateOf(bench.store, lost), "held,held");
    assertEquals(await stateOf(bench.store, good), "delivered");
    const detail = await bench.store.get(lost);
    assertMatch(
      detail?.recipients[0]?.lastReply ?? "",
      /notify.*550 5\.1\.1 No such user/,
    );
    assertEquals(detail?.hasBody, true);
    assertEquals(detail?.recipients.map(({ claimedBy }) => claimedBy), [
      null,
      null,
    ]);
    const types = bench.events.filter(({ type }) => type !== "trouble").map((
      { type },
    ) => type);
    assertEquals(types.toSorted(), ["delivered", "held", "held"]);
    await bench.scheduler.stop({ limitMs: 0 });
  });

  Deno.test(`a warning of delay that ${how} is given with a later attempt`, async () => {
    const out = new FakeTransport({ answer: () => GREYLISTED });
    let isBroken = true;
    const warned: number[] = [];
    const bench = setUp({
      transports: [out],
      notifications(facts) {
        if (isBroken) return notifications(facts);
        warned.push(facts.nowMs);
        return [];
      },
    });
    const id = await bench.put("slow.example");
    bench.scheduler.start();
    await bench.clock.advance(5 * 3_600_000);
    assertEquals(await stateOf(bench.store, id), "queued");
    assertEquals(
      (await bench.store.get(id))?.recipients[0]?.delayNotified,
      false,
    );
    isBroken = false;
    await bench.clock.advance(5 * 3_600_000);
    assertEquals(warned.length, 1);
    await bench.scheduler.stop({ limitMs: 0 });
  });
}
