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
  assertEquals(map.size, 2);
});
