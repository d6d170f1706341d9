import { assertEquals } from "@std/assert";
import { FailureMemory } from "../../../src/delivery/smtp/failure_memory.ts";
import { reply } from "../../../src/mail/reply.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const DOWN = reply(451, "4.4.1", "connection refused");

Deno.test("an address that failed is left alone, then probed by one", async () => {
  const clock = new ManualClock();
  const failures = new FailureMemory({ clock, forgetAfterMs: 1000 });
  assertEquals(failures.recall("a"), null);
  failures.failed("a", DOWN);
  assertEquals(failures.recall("a"), DOWN);
  assertEquals(failures.recall("b"), null);
  await clock.advance(1000);
  assertEquals(failures.recall("a"), null);
  assertEquals(failures.recall("a"), DOWN);
  failures.succeeded("a");
  assertEquals(failures.recall("a"), null);
});

Deno.test("only so many addresses are remembered", () => {
  const failures = new FailureMemory({ clock: new ManualClock(), maxEntries: 2 });
  for (const address of ["a", "b", "a", "c"]) failures.failed(address, DOWN);
  assertEquals(["a", "b", "c"].map((address) => failures.recall(address) !== null), [
    true,
    false,
    true,
  ]);
});
