import { assertEquals, assertStrictEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { claimOf, fixedClock, messageOf } from "./messages.ts";
import { testStore } from "./store_conformance.ts";

testStore("memory store", () => {
  const store = openMemoryStore({ clock: fixedClock() });
  return Promise.resolve({
    store,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  });
});

Deno.test("memory store: octets that messages share stand there once, apart from the caller's", async () => {
  await using store = openMemoryStore({ clock: fixedClock() });
  const bytes = encodeText("Subject: shared\r\n\r\n");
  const place = { kind: "inline", bytes } as const;
  await store.putAll([1, 2].map((number) => messageOf(number, { place })));
  bytes.fill(0);
  const [first, second] = (await store.claim(claimOf())).claimed;
  assertEquals(first?.bytes, encodeText("Subject: shared\r\n\r\n"));
  assertStrictEquals(second?.bytes, first?.bytes);
});
