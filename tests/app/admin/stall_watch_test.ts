import { assertEquals } from "@std/assert";
import { StallWatch } from "../../../src/app/admin/stall_watch.ts";
import type { RelayEvent } from "../../../src/observe/events.ts";
import { openMemoryStore } from "../../../src/queue/memory/store.ts";
import { messageOf, NOW_MS, recipientOf } from "../../queue/messages.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const MINUTE_MS = 60_000;

function setUp() {
  const clock = new ManualClock(NOW_MS);
  const store = openMemoryStore({ clock });
  const troubles: string[] = [];
  const emit = (event: RelayEvent): void => {
    if (event.type === "trouble") troubles.push(`${event.level}: ${event.message}`);
  };
  const watch = new StallWatch({ store, clock, emit });
  watch.start();
  return { clock, store, troubles, watch };
}

Deno.test("due mail that makes no progress is a stall, said once and again at its end", async () => {
  const { clock, store, troubles, watch } = setUp();
  await store.put(messageOf(1));
  await clock.advance(4 * MINUTE_MS);
  assertEquals([watch.stalledSinceMs, troubles], [null, []]);
  await clock.advance(4 * MINUTE_MS);
  assertEquals(watch.stalledSinceMs, NOW_MS);
  assertEquals(troubles, ["error: Due mail has made no progress for 5 min"]);
  watch.sink({ type: "destination_up", transport: "mx", destination: "x", reason: "" });
  await clock.advance(MINUTE_MS);
  assertEquals(watch.stalledSinceMs, null);
  assertEquals(troubles.at(-1), "warning: Due mail makes progress again after 8 min 30 s");
  await watch.stop();
});

Deno.test("mail that is not due yet, and mail that moves, is no stall", async () => {
  const { clock, store, troubles, watch } = setUp();
  const nextAttemptAtMs = NOW_MS + 60 * MINUTE_MS;
  await store.put(messageOf(1, { to: [recipientOf("a@b.example", { nextAttemptAtMs })] }));
  await clock.advance(50 * MINUTE_MS);
  await store.put(messageOf(2));
  for (let minute = 0; minute < 20; minute++) {
    watch.sink({ type: "destination_down", transport: "mx", destination: "x", reason: "" });
    await clock.advance(MINUTE_MS);
  }
  assertEquals(troubles, []);
  await watch.stop();
});

Deno.test("a store that does not answer does not end the watch", async () => {
  const { clock, store, troubles, watch } = setUp();
  await store[Symbol.asyncDispose]();
  await clock.advance(20 * MINUTE_MS);
  assertEquals(troubles, []);
  await watch.stop();
  assertEquals(clock.nextTimerAtMs, null);
});

Deno.test("mail that a clock or a sleep made due has its time before that is a stall", async () => {
  const { clock, store, troubles, watch } = setUp();
  const nextAttemptAtMs = NOW_MS + 60 * MINUTE_MS;
  await store.put(messageOf(1, { to: [recipientOf("a@b.example", { nextAttemptAtMs })] }));
  await clock.advance(10 * MINUTE_MS);
  clock.set(24 * 60 * MINUTE_MS);
  await clock.advance(4 * MINUTE_MS);
  assertEquals(troubles, []);
  await clock.advance(2 * MINUTE_MS);
  assertEquals(troubles.length, 1);
  await watch.stop();
});
