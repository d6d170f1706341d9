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
  assertEquals(history.destination("mx", "b.example"), { lastError, lastSuccessAtMs: null });
  assertEquals(history.outcomes("mx"), { delivered: 1, deferred: 1, bounced: 0, uncertain: 0 });
});

Deno.test("destinations are remembered in bounded number", () => {
  const history = new WayHistory({ clock: new ManualClock(1000) });
  for (let count = 0; count < 6_000; count++) history.sink(outcome("bounced", `d${count}`));
  assertEquals(history.destination("mx", "d0").lastError, null);
  assertEquals(history.destination("mx", "d5999").lastError?.atMs, 1000);
});
