import { assertEquals } from "@std/assert";
import { WayHistory } from "../../../src/app/admin/way_history.ts";
import type { RelayEvent } from "../../../src/observe/events.ts";
import { ManualClock } from "../../support/manual_clock.ts";

function outcome(type: "delivered" | "deferred" | "bounced", destination: string): RelayEvent {
  return {
    ...{ type, destination, transport: "mx", messageId: "x", recipient: "a@b.example" },
    ...{ remote: "", reply: `reply of ${destination}`, attempts: 1, delayMs: 1 },
  };
}

Deno.test("what transports and destinations came to is remembered", async () => {
  const clock = new ManualClock(1000);
  const history = new WayHistory({ clock });
  assertEquals(history.transport("mx"), { lastError: null, lastSuccessAtMs: null });
  history.sink(outcome("delivered", "a.example"));
  await clock.advance(5);
  history.sink(outcome("deferred", "b.example"));
  const lastError = { text: "reply of b.example", atMs: 1005 };
  assertEquals(history.transport("mx"), { lastError, lastSuccessAtMs: 1000 });
  assertEquals(history.destination("mx", "a.example").lastError, null);
  assertEquals(history.destination("mx", "b.example"), {
    ...{ lastError, lastSuccessAtMs: null },
    latency: null,
  });
  assertEquals(history.outcomes("mx"), { delivered: 1, deferred: 1, bounced: 0, uncertain: 0 });
});

Deno.test("destinations are remembered in bounded number", () => {
  const history = new WayHistory({ clock: new ManualClock(1000) });
  for (let count = 0; count < 6_000; count++) history.sink(outcome("bounced", `d${count}`));
  assertEquals(history.destination("mx", "d0").lastError, null);
  assertEquals(history.destination("mx", "d5999").lastError?.atMs, 1000);
});

Deno.test("what the last attempts at a destination took is remembered, once for each", () => {
  const history = new WayHistory({ clock: new ManualClock(1000) });
  const attempt = (messageId: string, durationMs: number): RelayEvent =>
    ({ ...outcome("delivered", "a.example"), messageId, durationMs }) as RelayEvent;
  for (let number = 1; number <= 20; number++) history.sink(attempt(`m${number}`, number * 10));
  history.sink(attempt("m20", 200)); // its second recipient
  assertEquals(history.destination("mx", "a.example").latency, {
    ...{ medianMs: 100, p95Ms: 190 },
    attempts: 20,
  });
  for (let number = 0; number < 40; number++) history.sink(attempt(`n${number}`, 5));
  assertEquals(history.destination("mx", "a.example").latency?.p95Ms, 5);
  assertEquals(history.destination("mx", "other.example").latency, null);
});
