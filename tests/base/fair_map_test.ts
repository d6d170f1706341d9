import { assertEquals } from "@std/assert";
import { FairMap } from "../../src/base/fair_map.ts";

Deno.test("a fair map forgets what weighs least, and of those the oldest", () => {
  const map = new FairMap<string, number>({ limit: 3, weigh: (value) => value });
  map.set("heavy", 100);
  map.set("light", 1);
  map.set("lighter", 0);
  for (let flood = 0; flood < 1000; flood++) map.set(`flood ${flood}`, 1);
  assertEquals([map.size, map.get("heavy"), map.get("lighter")], [3, 100, undefined]);
  assertEquals([map.get("flood 999"), map.get("flood 997")], [1, undefined]);
  map.set("heavy", 0);
  map.set("new", 0);
  assertEquals([map.get("heavy"), map.get("new"), map.size], [undefined, 0, 3]);
  map.delete("new");
  map.delete("nobody");
  assertEquals(map.size, 2);
});

Deno.test("a fair map weighs by orders of magnitude: what is set again is the youngest", () => {
  const map = new FairMap<string, number>({ limit: 3, weigh: (value) => value });
  const kept = (...keys: string[]) => keys.filter((key) => map.get(key) !== undefined);
  map.set("a", 1);
  map.set("b", 2); // weighs as much as a
  map.set("c", 3);
  map.set("a", 1);
  map.set("d", 1);
  assertEquals(kept("a", "b", "c", "d"), ["a", "c", "d"]);
  map.set("e", 0);
  assertEquals(kept("a", "c", "d", "e"), ["c", "d", "e"], "what comes is kept, however light");
  map.set("f", 7);
  assertEquals(kept("c", "d", "e", "f"), ["c", "d", "f"]);
  map.set("huge", 2 ** 40);
  assertEquals(kept("c", "d", "f", "huge"), ["c", "f", "huge"]);
  map.set("d", 9);
  assertEquals([map.get("d"), map.size], [9, 3]);
});
