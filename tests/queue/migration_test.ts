import { assertEquals } from "@std/assert";
import { reasonOf } from "../../src/queue/shape.ts";
import { statesOf, textOf } from "./conformance/case.ts";
import { StoreFolder } from "./folder.ts";
import { messageOf, NOW_MS } from "./messages.ts";

/** Last replies of all forms. */
const REPLIES = [
  ...["", "451", "451 4.7.1 Greylisted", "451 4.7.1", "421 4.4.123 x", "451 4.7.1234567 x"],
  ...["550 later", "450 4.x.1 y", "650 4.7.1", "45 4.7.1", "nothing", "4511 4.7.1", "451  4.7.1"],
  ...["451 4. x", "451 4.. x", "451-4.7.1 x", "550 5.7.26 no", "550 3.7.1 no", " 451"],
];

Deno.test("a queue of the first schema is brought up to date with what is in it", async () => {
  await using folder = await StoreFolder.make();
  {
    await using store = await folder.open();
    await store.put(messageOf(1));
    await store.put(messageOf(2, { to: ["hurt@dest.example"] }));
    await store.put(messageOf(3, { to: REPLIES.map((_, at) => `${at}@other.example`) }));
  }
  folder.sql("UPDATE messages SET record = '{' WHERE seq = 2");
  REPLIES.forEach((reply, at) =>
    folder.sql(`UPDATE recipients SET last_reply = '${reply}' WHERE key = (SELECT key
      FROM recipients ORDER BY key LIMIT 1 OFFSET ${at + 2})`)
  );
  folder.sql(
    `DROP TABLE queue_shape; DROP TABLE shelf; DROP TABLE outbox; DROP TABLE outbox_reached;
    DROP TABLE outbox_calls; DROP INDEX messages_kept;
    DROP TABLE heads; DROP TABLE shared_octets; ALTER TABLE messages DROP COLUMN shared;
    ALTER TABLE messages DROP COLUMN kept; DROP TABLE facts;
    DROP INDEX messages_by_mask; DROP INDEX recipients_by_facts;
    ALTER TABLE recipients DROP COLUMN transport; ALTER TABLE recipients DROP COLUMN size;
    ALTER TABLE recipients DROP COLUMN received_at; ALTER TABLE recipients DROP COLUMN listener;
     PRAGMA user_version = 1;`,
  );
  await using store = await folder.open();
  assertEquals(await statesOf(store, 1), ["queued"]);
  const shape = { nowMs: NOW_MS, agesMs: [], limit: 0, domain: "other.example" };
  const { reasons } = await store.shape(shape);
  assertEquals(
    reasons.flatMap(({ reason, recipients }) => Array(recipients).fill(reason)).sort(),
    REPLIES.map(reasonOf).sort(),
  );
  assertEquals(await textOf(store, 1), "Subject: 1\r\n\r\nText\r\n");
  await store.shelf.put("a", { key: "one", value: "{}", expiresAtMs: null });
  assertEquals((await store.shelf.get("a", "one"))?.key, "one");
  assertEquals(await store.outbox.placeBefore(), 0);
  const recipient = "user@dest.example";
  assertEquals(await store.count({ text: "message 1", listener: "smtp", recipient }), 1);
  assertEquals(await store.count({ text: "hurt@dest" }), 1, "a damaged record can be found");
  assertEquals(await store.count({ text: "user@dest", maxSizeBytes: 20, states: ["queued"] }), 1);
});
