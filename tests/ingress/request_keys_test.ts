import { assertEquals } from "@std/assert";
import { type KnownRequest, RequestKeys } from "../../src/ingress/request_keys.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { ManualClock } from "../support/manual_clock.ts";

const DAY_MS = 24 * 3_600_000;
const A: KnownRequest = { fingerprint: "a", messageIds: ["ID1", "ID2"] };
const B: KnownRequest = { fingerprint: "b", messageIds: ["ID3"] };

function bench() {
  const clock = new ManualClock();
  const { shelf } = openMemoryStore({ clock });
  const stored = new Set<string>();
  const asked: string[] = [];
  const keys = new RequestKeys({
    shelf,
    now: () => clock.now(),
    isStored: (id) => {
      asked.push(id);
      return Promise.resolve(stored.has(id));
    },
  });
  return { clock, shelf, stored, asked, keys };
}

Deno.test("request keys: one that was confirmed is known for a day without a look at the queue", async () => {
  const { clock, keys, asked } = bench();
  assertEquals(await keys.claim("k", A), { kind: "first" });
  await keys.confirm("k", A);
  assertEquals(await keys.claim("k", A), { kind: "repeated", messageIds: A.messageIds });
  assertEquals(await keys.claim("k", B), { kind: "other_message" });
  await clock.advance(DAY_MS - 1);
  assertEquals(await keys.claim("k", B), { kind: "other_message" });
  assertEquals(asked, []);
  await clock.advance(1);
  assertEquals(await keys.claim("k", B), { kind: "first" });
});

Deno.test("request keys: after a crash before the confirmation the queue says whether it was done", async () => {
  const { keys, stored, asked } = bench();
  await keys.claim("k", A);
  stored.add("ID1");
  assertEquals(await keys.claim("k", A), { kind: "repeated", messageIds: A.messageIds });
  assertEquals(await keys.claim("k", B), { kind: "other_message" });
  assertEquals(asked, ["ID1", "ID1"]);
});

Deno.test("request keys: what a crash kept from the queue is done by the next of the name", async () => {
  const { clock, keys, stored } = bench();
  await keys.claim("k", A);
  await clock.advance(DAY_MS / 2);
  assertEquals(await keys.claim("k", B), { kind: "first" });
  stored.add("ID3");
  assertEquals(await keys.claim("k", B), { kind: "repeated", messageIds: B.messageIds });
  await clock.advance(DAY_MS - 1);
  assertEquals(await keys.claim("k", A), { kind: "other_message" }, "the second one's day");
});

Deno.test("request keys: names are apart from what else is on the shelf", async () => {
  const { keys, shelf } = bench();
  await shelf.put("other", { key: "k", value: "{}", expiresAtMs: null });
  assertEquals(await keys.claim("k", A), { kind: "first" });
  assertEquals((await shelf.list({ space: "request", limit: 10 })).map(({ key }) => key), ["k"]);
});
