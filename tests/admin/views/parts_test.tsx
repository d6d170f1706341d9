import { assertEquals, assertStringIncludes } from "@std/assert";
import { ASSETS } from "../../../src/admin/assets/mod.ts";
import { Share } from "../../../src/admin/views/parts/boxes.tsx";
import { counted } from "../../../src/admin/views/parts/quantity.ts";
import { relativeText, roughly, Time } from "../../../src/admin/views/parts/time.tsx";

Deno.test("how long ago, in one unit", () => {
  assertEquals(relativeText(0), "now");
  assertEquals(relativeText(-1_400), "now");
  assertEquals(relativeText(-59_000), "59 s ago");
  assertEquals(relativeText(-3_599_000), "59 min ago");
  assertEquals(relativeText(90_000_000), "in 1 d");
  assertEquals(roughly(21_600_000), "6 h");
});

Deno.test("a time carries itself for programs and exactly for people", () => {
  const html = String(<Time atMs={Date.UTC(2025, 10, 23, 14, 5, 9)} nowMs={0} />);
  assertStringIncludes(html, `2025-11-23T14:05:09.000Z"`);
  assertStringIncludes(html, `title="2025-11-23 14:05:09 UTC"`);
});

Deno.test("counts agree with their nouns", () => {
  assertEquals(counted(1, "message"), "1 message");
  assertEquals(counted(0, "message"), "0 messages");
  assertEquals(counted(12_345, "delivery", "deliveries"), "12,345 deliveries");
});

Deno.test("shares of nothing are nothing", () => {
  const parts = [{ value: 0, tone: "good" as const }];
  assertEquals(String(<Share parts={parts} label="none" />).includes("<rect"), false);
});

Deno.test("no asset names another host or holds what the content policy refuses", () => {
  for (const [name, { body }] of ASSETS) {
    const ours = body.replaceAll("http://www.w3.org/2000/svg", "");
    assertEquals(/https?:\/\/(?!github\.com\/leeoniya)/.exec(ours)?.[0], undefined, name);
    assertEquals(/\beval\(|new Function\(/.exec(ours)?.[0], undefined, name);
  }
});
