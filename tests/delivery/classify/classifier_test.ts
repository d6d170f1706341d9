import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Classifier } from "../../../src/delivery/classify/classifier.ts";
import type { ReplyRule } from "../../../src/delivery/classify/rules.ts";
import type { DeliveryReport, Outcome } from "../../../src/delivery/transport.ts";
import { reply } from "../../../src/mail/reply.ts";
import { FakeTransport, setUp, stateOf } from "../scheduler_setup.ts";

const REFUSED = {
  kind: "permanent",
  reply: reply(550, "5.7.1", "Blocked"),
  fromPeer: true,
} as const;

function classify(rule: Omit<ReplyRule, "name">, outcome: Outcome): Outcome | undefined {
  const report = {
    outcomes: [outcome],
    remote: { host: "MX.Example.Net", address: "192.0.2.1", port: 25 },
    tls: null,
  };
  const [result] = new Classifier([{ name: "r", ...rule }]).classify(report, "a.example").outcomes;
  return result;
}

const FITS: readonly [Omit<ReplyRule, "name" | "action">, boolean][] = [
  [{}, true],
  [{ code: "550" }, true],
  [{ code: "5xx" }, true],
  [{ code: "55x" }, true],
  [{ code: "4xx" }, false],
  [{ enhanced: "5.7.1" }, true],
  [{ enhanced: "5.7.*" }, true],
  [{ enhanced: "5.7.10" }, false],
  [{ enhanced: "*.1.*" }, false],
  [{ text: /^block/i }, true],
  [{ text: /grey/i }, false],
  [{ mx: ["*.example.net"] }, true],
  [{ mx: ["mx.example.org"] }, false],
  [{ domain: ["a.example"] }, true],
  [{ domain: ["b.example"] }, false],
  [{ code: "550", text: /grey/ }, false],
];

for (const [match, fits] of FITS) {
  Deno.test(`reply rule ${JSON.stringify(match)} ${match.text ?? ""} fits: ${fits}`, () => {
    assertEquals(classify({ ...match, action: "retry" }, REFUSED)?.kind === "temporary", fits);
  });
}

Deno.test("what was typed where it happened stays what it is", () => {
  const typed: Outcome[] = [
    { kind: "permanent", reply: REFUSED.reply },
    { kind: "temporary", reply: reply(451, "4.4.3", "Cannot look up a.example") },
    { kind: "broken", scope: "destination", reply: reply(451, "4.4.1", "Connection refused") },
    { kind: "uncertain", reply: reply(451, "4.4.2", "closed") },
    { kind: "delivered", reply: reply(250, "2.0.0", "OK") },
  ];
  for (const outcome of typed) {
    assertStrictEquals(classify({ action: "give_up" }, outcome), outcome);
  }
});

Deno.test("a report that no rule fits is handed on as it is", () => {
  const report: DeliveryReport = { outcomes: [REFUSED, REFUSED], remote: null, tls: null };
  assertStrictEquals(new Classifier([]).classify(report, "a.example"), report);
});

Deno.test("the first rule that fits decides, and is named in the timeline", async () => {
  const out = new FakeTransport({ answer: () => REFUSED });
  const classifier = new Classifier([
    { name: "mine", text: /blocked/i, action: "retry_later", delayMs: 600_000 },
    { name: "later", action: "give_up" },
  ]);
  const { clock, store, scheduler, put } = setUp({ transports: [out], classifier });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  await clock.advance(599_000);
  assertEquals([await stateOf(store, id), out.jobs.length], ["queued", 1]);
  await clock.advance(2_000);
  assertEquals(out.jobs.length, 2);
  const [entry] = (await store.get(id))?.timeline ?? [];
  assertEquals(entry?.detail["outcomes"], [
    { kind: "temporary", reply: "550 5.7.1 Blocked", recipients: [0], rule: "mine" },
  ]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a destination that is paused gets nothing until it is over, and no attempt is used up", async () => {
  const answers: Outcome[] = [REFUSED];
  const out = new FakeTransport({
    answer: () => answers.shift() ?? { kind: "delivered", reply: reply(250, "2.0.0", "OK") },
  });
  const classifier = new Classifier([{
    name: "p",
    code: "550",
    action: "pause",
    delayMs: 3_600_000,
  }]);
  const { clock, store, scheduler, events, put } = setUp({ transports: [out], classifier });
  const first = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  const second = await put("a.example");
  scheduler.wake();
  await clock.advance(3_590_000);
  assertEquals(out.jobs.length, 1);
  assert(events.some(({ type }) => type === "destination_down"));
  await clock.advance(600_000);
  for (const id of [first, second]) {
    const [recipient] = (await store.get(id))?.recipients ?? [];
    assertEquals([recipient?.state, recipient?.attempts], ["delivered", 1]);
  }
  await scheduler.stop({ limitMs: 0 });
});
