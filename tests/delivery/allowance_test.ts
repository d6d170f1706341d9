import { assertEquals } from "@std/assert";
import { Allowance } from "../../src/delivery/allowance.ts";

Deno.test("nothing is held back while the peer has said nothing", () => {
  const allowance = new Allowance();
  for (let count = 0; count < 1000; count++) allowance.take();
  assertEquals(allowance.isSpent(0), false);
});

Deno.test("what was begun after the attempt that was answered is taken off", () => {
  const allowance = new Allowance();
  for (let count = 0; count < 4; count++) allowance.take();
  allowance.learn({ remaining: 5, resetAfterMs: 1_000 }, { nowMs: 0, number: 1 });
  allowance.take();
  assertEquals(allowance.isSpent(0), false);
  allowance.take();
  assertEquals(allowance.isSpent(0), true);
  assertEquals(allowance.restUntilMs(0), 1_000);
});

Deno.test("answers that overtake each other cannot raise what is left", () => {
  const allowance = new Allowance();
  const [first, second] = [allowance.take(), allowance.take()];
  allowance.learn({ remaining: 1, resetAfterMs: 1_000 }, { nowMs: 0, number: second });
  allowance.learn({ remaining: 2, resetAfterMs: 1_000 }, { nowMs: 10, number: first });
  allowance.take();
  assertEquals(allowance.isSpent(10), true);
});

Deno.test("a limit that was counted anew holds nothing back", () => {
  const allowance = new Allowance();
  allowance.learn({ remaining: 0, resetAfterMs: 1_000 }, { nowMs: 0, number: 0 });
  assertEquals(allowance.isSpent(999), true);
  assertEquals(allowance.isSpent(1_000), false);
  allowance.learn({ remaining: 7, resetAfterMs: 1_000 }, { nowMs: 1_000, number: 0 });
  assertEquals(allowance.isSpent(1_000), false);
});
