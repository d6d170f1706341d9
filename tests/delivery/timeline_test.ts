import { assertEquals } from "@std/assert";
import { attemptEntry } from "../../src/delivery/timeline.ts";

function dialogueKept(lines: readonly string[]): unknown {
  const entry = attemptEntry({ recipients: [], route: "rest", redirect: null }, {
    ...{ transport: "out", destination: "dest.example", dialogues: "all" },
    ...{ startedAtMs: 0, endedAtMs: 1 },
    report: { outcomes: [], remote: null, tls: null, dialogue: { lines: () => lines } },
  });
  return entry.detail["dialogue"];
}

Deno.test("a dialogue is kept as it was", () => {
  const lines = ["S: 220 mx.test", "C: EHLO relay.test"];
  assertEquals(dialogueKept(lines), lines);
  assertEquals(dialogueKept([]), undefined);
});

Deno.test("what a next hop says moves no cursor, and fills no store", () => {
  assertEquals(dialogueKept(["S: 550 \u001b[2J\u202egone\u009b31m"]), [
    "S: 550 \\u{1b}[2J\\u{202e}gone\\u{9b}31m",
  ]);
  assertEquals(dialogueKept([`S: ${"x".repeat(10_000)}`]), [`S: ${"x".repeat(508)}…`]);
  const many = Array.from({ length: 10_000 }, (_, index) => `S: ${index}`);
  const kept = dialogueKept(many) as string[];
  assertEquals(kept.length, 401);
  assertEquals([kept[299], kept[300], kept[400]], [
    "S: 299",
    "-- 9600 more lines left out",
    "S: 9999",
  ]);
});
