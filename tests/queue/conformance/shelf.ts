import { assertEquals } from "@std/assert";
import type { ShelfEntry } from "../../../src/queue/shelf.ts";
import type { QueueStore } from "../../../src/queue/store.ts";
import { NOW_MS } from "../messages.ts";
import type { StoreCase } from "./case.ts";

function entryOf(key: string, { value = "{}", expiresAtMs = null }: Partial<ShelfEntry> = {}) {
  return { key, value, expiresAtMs };
}

async function keysOf(store: QueueStore, text?: string): Promise<string[]> {
  const filter = text === undefined ? {} : { text };
  const entries = await store.shelf.list({ space: "a", limit: 10, ...filter });
  return entries.map(({ key }) => key);
}

export const shelfCases: readonly StoreCase[] = [
  {
    title: "shelf: an entry is found by its space and name, and replaced",
    async run({ shelf }) {
      await shelf.put("a", entryOf("one", { value: "first" }));
      await shelf.put("a", entryOf("one", { value: "second" }));
      assertEquals(await shelf.get("a", "one"), entryOf("one", { value: "second" }));
      assertEquals(await shelf.get("b", "one"), null);
      assertEquals(await shelf.get("a", "ONE"), null);
    },
  },
  {
    title: "shelf: of two that claim a name the first has it",
    async run({ shelf }) {
      const [first, second] = await Promise.all([
        shelf.claim("a", entryOf("one", { value: "first" })),
        shelf.claim("a", entryOf("one", { value: "second" })),
      ]);
      assertEquals(first, null);
      assertEquals(second, entryOf("one", { value: "first" }));
      assertEquals((await shelf.get("a", "one"))?.value, "first");
    },
  },
  {
    title: "shelf: an entry whose time is over is not there, and can be claimed and purged",
    async run({ shelf }) {
      await shelf.put("a", entryOf("old", { expiresAtMs: NOW_MS }));
      await shelf.put("a", entryOf("older", { expiresAtMs: NOW_MS - 1 }));
      await shelf.put("a", entryOf("new", { expiresAtMs: NOW_MS + 1 }));
      assertEquals(await shelf.get("a", "old"), null);
      assertEquals((await shelf.list({ space: "a", limit: 9 })).map(({ key }) => key), ["new"]);
      assertEquals(await shelf.delete("a", "older"), false);
      assertEquals(await shelf.claim("a", entryOf("old", { value: "again" })), null);
      await shelf.put("a", entryOf("gone", { expiresAtMs: NOW_MS }));
      assertEquals(await shelf.purge(10), 1);
      assertEquals((await shelf.get("a", "old"))?.value, "again");
    },
  },
  {
    title: "shelf: entries are listed in order, page by page, and by a part of their name",
    async run(store) {
      for (const key of ["b@x.example", "a@X.example", "c@y.example"]) {
        await store.shelf.put("a", entryOf(key));
      }
      await store.shelf.put("b", entryOf("d@x.example"));
      assertEquals(await keysOf(store), ["a@X.example", "b@x.example", "c@y.example"]);
      assertEquals(await keysOf(store, "@x."), ["a@X.example", "b@x.example"]);
      assertEquals(await keysOf(store, "%"), []);
      const page = await store.shelf.list({ space: "a", limit: 1, after: "a@X.example" });
      assertEquals(page.map(({ key }) => key), ["b@x.example"]);
    },
  },
  {
    title: "shelf: a deleted entry is gone",
    async run({ shelf }) {
      await shelf.put("a", entryOf("one"));
      assertEquals(await shelf.delete("a", "one"), true);
      assertEquals(await shelf.delete("a", "one"), false);
      assertEquals(await shelf.get("a", "one"), null);
    },
  },
];
