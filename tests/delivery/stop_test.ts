import { assertEquals } from "@std/assert";
import type { Outcome } from "../../src/delivery/transport.ts";
import { reply } from "../../src/mail/reply.ts";
import { type Bench, FakeTransport, setUp, UNREACHABLE } from "./scheduler_setup.ts";

const TOO_LARGE: Outcome = { kind: "unsuitable", reply: reply(552, "5.3.4", "Too large") };

/** How the one recipient of a message stands. */
async function recipientOf({ store }: Bench, id: string) {
  const recipient = (await store.get(id))?.recipients[0];
  const { state, attempts, claimedBy, nextAttemptAtMs } = recipient ?? {};
  return { state, attempts, claimedBy, nextAttemptAtMs };
}

for (const [what, outcome] of [["unsuitable", TOO_LARGE], ["broken", UNREACHABLE]] as const) {
  Deno.test(`what is ${what} for a transport at the stop is left to the next one, due as it was`, async () => {
    const first = new FakeTransport({ name: "first" });
    first.deliver = (job, options: { signal: AbortSignal } = { signal: AbortSignal.abort() }) =>
      new Promise((resolve) =>
        options.signal.addEventListener(
          "abort",
          () => resolve({ outcomes: job.recipients.map(() => outcome), remote: null, tls: null }),
        )
      );
    const bench = setUp({ transports: [first, new FakeTransport({ name: "second" })] });
    const id = await bench.put("a.example");
    const nextAttemptAtMs = bench.clock.now();
    bench.scheduler.start();
    await bench.clock.advance(0);
    const stopped = bench.scheduler.stop({ limitMs: 1_000 });
    await bench.clock.advance(1_000);
    await stopped;
    const left = { state: "queued", attempts: 0, claimedBy: null, nextAttemptAtMs } as const;
    assertEquals(await recipientOf(bench, id), left);
    assertEquals(bench.clock.timers, 0);
  });
}

Deno.test("attempts end within the time that the stop gives them, and nothing new begins", async () => {
  const ends: ((outcome: Outcome) => void)[] = [];
  const out = new FakeTransport({
    maxConcurrency: 1,
    answer: () => new Promise((resolve) => ends.push(resolve)),
  });
  const bench = setUp({ transports: [out] });
  const ids = [await bench.put("a.example"), await bench.put("a.example")];
  bench.scheduler.start();
  await bench.clock.advance(0);
  const stopped = bench.scheduler.stop({ limitMs: 60_000 });
  ends[0]?.({ kind: "delivered", reply: reply(250, "2.0.0", "OK") });
  await stopped;
  const states = await Promise.all(ids.map((id) => recipientOf(bench, id)));
  assertEquals(states.map(({ state }) => state), ["delivered", "queued"]);
  assertEquals(out.jobs.length, 1);
  assertEquals(bench.clock.timers, 0);
});
