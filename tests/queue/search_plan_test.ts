/** What leads a search of the SQLite store: results are the same in any case, the time is not. */
import { assertEquals } from "@std/assert";
import { MESSAGE_OF_RECIPIENT } from "../../src/queue/sqlite/conditions.ts";
import { isDivisible } from "../../src/queue/sqlite/counting.ts";
import { Database } from "../../src/queue/sqlite/database.ts";
import { writingEngine } from "../../src/queue/sqlite/engine.ts";
import { packMessage } from "../../src/queue/sqlite/pack.ts";
import { migrate } from "../../src/queue/sqlite/schema.ts";
import {
  BUCKET_SIZE,
  bucketOf,
  bucketRange,
  fittingRecipientSource,
  isSoughtByIndex,
  partOf,
  sequenceRange,
  type Source,
  sourceOf,
} from "../../src/queue/sqlite/sources.ts";
import type { MessageFilter, NewMessage } from "../../src/queue/store.ts";
import { idOf, messageOf, NOW_MS } from "./messages.ts";

const PLANS: readonly [filter: MessageFilter, isSought: boolean, isDivisible: boolean][] = [
  [{}, false, false],
  [{ states: ["queued"] }, false, false],
  [{ ids: [idOf(1)], text: "x" }, false, false],
  [{ minSizeBytes: 1 }, false, true],
  [{ text: "x" }, false, true],
  [{ minAttempts: 1 }, false, true],
  [{ domain: "dest.example" }, true, false],
  [{ domain: "dest.example", subdomains: false }, true, false],
  [{ domain: "dest.example", subdomains: true }, false, true],
  [{ recipient: "user@dest.example" }, true, false],
  [{ recipient: "user@dest.example", subdomains: true }, true, false],
  [{ recipient: "no mailbox" }, false, true],
  [{ domain: "dest.example", text: "x" }, true, true],
];

Deno.test("search: the index is sought for a domain or a mailbox, what is looked through is shared", () => {
  for (const [filter, isSought, divisible] of PLANS) {
    const told = [isSoughtByIndex(filter), isDivisible(filter)];
    assertEquals(told, [isSought, divisible], JSON.stringify(filter));
  }
});

/** A database in memory with these messages. */
function databaseOf(messages: readonly NewMessage[]): Database {
  const database = new Database(":memory:");
  migrate(database);
  const engine = writingEngine({ database, spoolFolder: "", keepsFailed: false });
  const attach = { attach: () => 0, nowMs: NOW_MS };
  const calls = messages.map((message) => ["put", packMessage(message, attach)] as const);
  const { answer } = engine.run({ calls, bytes: new ArrayBuffer(64), isAgain: false });
  assertEquals(answer.failures, []);
  return database;
}

/** Who leads: messages, or recipients that are looked through, or sought bucket by bucket. */
function leadOf({ found, sql, mayRepeat }: Source): string {
  assertEquals(mayRepeat, found === MESSAGE_OF_RECIPIENT);
  if (found !== MESSAGE_OF_RECIPIENT) return "messages";
  return sql.includes("RECURSIVE") ? "sought" : "recipients";
}

Deno.test("search: the side on which less fits leads", () => {
  const RARE = "rare@far.example";
  const messages = Array.from({ length: 3 * BUCKET_SIZE }, (_, number) =>
    messageOf(number, {
      to: [number % 100 === 0 ? RARE : "user@dest.example"],
      summary: { subject: number % 50 === 0 ? "seldom" : "often", from: "", messageId: "" },
    }));
  using database = databaseOf(messages);
  const cases: readonly [MessageFilter, string][] = [
    [{}, "messages"],
    [{ text: "often" }, "messages"],
    [{ domain: "far.example" }, "sought"],
    [{ domain: "example", subdomains: true }, "recipients"],
    [{ minAttempts: 0 }, "recipients"],
    [{ domain: "far.example", text: "often" }, "sought"],
    [{ recipient: RARE, text: "seldom" }, "sought"],
    [{ domain: "dest.example", text: "seldom" }, "messages"],
    [{ domain: "example", subdomains: true, text: "example" }, "messages"],
    [{ transport: "none", sender: "sender@origin.example" }, "recipients"],
  ];
  for (const [filter, lead] of cases) {
    assertEquals(leadOf(sourceOf(database, filter)), lead, JSON.stringify(filter));
  }
  const recipients: readonly [MessageFilter, boolean][] = [
    [{ domain: "far.example" }, true],
    [{}, false],
    [{ text: "often", domain: "far.example" }, false],
    [{ ids: [idOf(1)], domain: "far.example" }, false],
  ];
  for (const [filter, isSought] of recipients) {
    const { sql, found, mayRepeat } = fittingRecipientSource(filter);
    assertEquals([found, mayRepeat], [MESSAGE_OF_RECIPIENT, true]);
    assertEquals(sql.includes("RECURSIVE"), isSought, JSON.stringify(filter));
  }
});

Deno.test("search: messages stand in buckets, of which each of several workers gets its share", () => {
  using empty = databaseOf([]);
  assertEquals(sequenceRange(empty), { newest: -1, oldest: 0 });
  assertEquals(bucketRange(empty), { newest: -1, oldest: 0 });
  assertEquals(leadOf(sourceOf(empty, { domain: "far.example", text: "x" })), "messages");
  using database = databaseOf(Array.from({ length: 2 * BUCKET_SIZE }, (_, at) => messageOf(at)));
  const { newest, oldest } = sequenceRange(database);
  assertEquals(newest - oldest, 2 * BUCKET_SIZE - 1);
  assertEquals(bucketRange(database), { newest: bucketOf(newest), oldest: bucketOf(oldest) });
  assertEquals([0, BUCKET_SIZE - 1, BUCKET_SIZE, -1].map(bucketOf), [0, 0, 1, -1]);
  const all = { newest: 14, oldest: 10 };
  assertEquals(partOf(all, { part: 0, parts: 1 }), all);
  assertEquals([0, 1].map((part) => partOf(all, { part, parts: 2 })), [
    ...[{ newest: 11, oldest: 10 }, { newest: 14, oldest: 12 }],
  ]);
});
