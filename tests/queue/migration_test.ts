import { assertEquals } from "@std/assert";
import { statesOf, textOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";
import { messageOf } from "./messages.ts";

Deno.test("a queue of the first schema is brought up to date with what is in it", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open();
    await store.put(messageOf(1));
    await store.put(messageOf(2, { to: ["hurt@dest.example"] }));
  }
  folder.sql("UPDATE messages SET record = '{' WHERE seq = 2");
  folder.sql(`DROP TABLE shelf; DROP TABLE outbox; DROP TABLE outbox_reached;
    DROP TABLE outbox_calls; DROP INDEX messages_kept;
    DROP TABLE heads; DROP TABLE shared_octets; ALTER TABLE messages DROP COLUMN shared;
    ALTER TABLE messages DROP COLUMN kept; DROP TABLE facts;
    DROP INDEX messages_by_mask; DROP INDEX recipients_by_facts;
    ALTER TABLE recipients DROP COLUMN transport; ALTER TABLE recipients DROP COLUMN size;
    ALTER TABLE recipients DROP COLUMN received_at; ALTER TABLE recipients DROP COLUMN listener;
     PRAGMA user_version = 1;`);
  await using store = await folder.open();
  assertEquals(await statesOf(store, 1), ["queued"]);
  assertEquals(await textOf(store, 1), "Subject: 1\r\n\r\nText\r\n");
  await store.shelf.put("a", { key: "one", value: "{}", expiresAtMs: null });
  assertEquals((await store.shelf.get("a", "one"))?.key, "one");
  assertEquals(await store.outbox.placeBefore(), 0);
  const recipient = "user@dest.example";
  assertEquals(await store.count({ text: "message 1", listener: "smtp", recipient }), 1);
  assertEquals(await store.count({ text: "hurt@dest" }), 1, "a damaged record can be found");
  assertEquals(await store.count({ text: "user@dest", maxSizeBytes: 20, states: ["queued"] }), 1);
});
