/**
 * How fast the admin API lists, filters and counts a long queue on the SQLite store. The queue is
 * written into the database directly, which takes a few seconds instead of minutes.
 *
 *     deno run --allow-read --allow-write --allow-env --allow-sys tests/bench/admin_bench.ts \
 *       [--messages=1000000]
 */
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "@std/cli/parse-args";
import { createAdminApp } from "../../src/admin/app.ts";
import { systemClock } from "../../src/base/clock.ts";
import { DATABASE_FILE } from "../../src/queue/sqlite/folder.ts";
import { POSITIONS } from "../../src/queue/sqlite/key.ts";
import { openSqliteStore } from "../../src/queue/sqlite/store.ts";
import { fakePorts } from "../admin/fake_ports.ts";
import { messageOf, NOW_MS } from "../queue/messages.ts";

const ROUNDS = 5;
const LIMIT_MS = 200;

/** Messages arrived one each 100 ms; one in ten is delivered, one in a hundred is held. */
function fillQueue(path: string, messages: number): void {
  const { place: _, recipients: __, ...record } = messageOf(1);
  using database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = OFF; BEGIN");
  const state = "CASE WHEN n % 100 = 0 THEN 1 WHEN n % 10 = 0 THEN 2 ELSE 0 END";
  database.prepare(
    `WITH RECURSIVE number (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM number WHERE n < ?)
     INSERT INTO messages
     SELECT n, printf('01BENCH%09d', n), ? + n * 100,
       'sender' || n % 5000 || '@origin' || n % 50 || '.example',
       json_set(?, '$.id', printf('01BENCH%09d', n), '$.summary.subject', 'Invoice ' || n,
         '$.facts.sizeBytes', 500 + n % 20000, '$.origin.listener', iif(n % 3, 'smtp', 'office')),
       NULL, 1 << (${state}), (${state}) = 0, (${state}) = 1, (${state}) = 2, 0, 0, 0, '',
       iif((${state}) = 2, 1, NULL)
     FROM number`,
  ).run(messages, NOW_MS, JSON.stringify(record));
  database.prepare(
    `INSERT INTO recipients
     SELECT seq * ${POSITIONS}, 'user' || seq * 7919 % 100003 || '@dest' || seq % 200 || '.example',
       'dest' || seq % 200 || '.example', NULL, queued * 0 + held * 1 + delivered * 2,
       seq % 7, ? + seq * 100, 0, iif(seq % 7, '451 4.7.1 Greylisted, try again', ''), NULL, NULL
     FROM messages`,
  ).run(NOW_MS);
  database.exec(
    `INSERT INTO counters SELECT mask, count(*) FROM messages GROUP BY mask;
     INSERT INTO counters SELECT 100 + state, count(*) FROM recipients GROUP BY state;
     COMMIT; ANALYZE`,
  );
}

const QUERIES: readonly (readonly [name: string, path: string])[] = [
  ["first page", "messages"],
  ["first page, waiting", "messages?states=queued&states=held"],
  ["page in the middle", "messages?cursor=HALF"],
  ["count all", "messages/count"],
  ["count waiting", "messages/count?states=queued"],
  ["list held", "messages?states=held"],
  ["list by domain", "messages?domain=dest17.example"],
  ["count by domain", "messages/count?domain=dest17.example"],
  ["list by recipient", "messages?recipient=user7919@dest1.example"],
  ["count by recipient", "messages/count?recipient=user7919@dest1.example"],
  ["list by sender", "messages?sender=sender4321@origin21.example"],
  ["count by sender", "messages/count?sender=sender4321@origin21.example"],
  ["count by age", `messages/count?receivedBeforeMs=${NOW_MS + 50_000_000}&states=queued`],
  ["list by age and domain", `messages?receivedBeforeMs=${NOW_MS + 50_000}&domain=dest3.example`],
  ["list nothing", "messages?domain=none.example"],
  ["list by common text", "messages?text=invoice"],
  ["list by rare text", "messages?text=invoice%20777"],
  ["list by reply and listener", "messages?replyCode=451&listener=office"],
  ["list by size", "messages?minSizeBytes=20490"],
  ["text and domain", "messages?text=invoice%2077&domain=dest17.example"],
  ["count by size", "messages/count?minSizeBytes=20000"],
  ["count by text", "messages/count?text=invoice%20777"],
  ["count by reply", "messages/count?replyCode=451"],
  ["ages", "queue/ages"],
  ["status", "status"],
  ["one message", "messages/HALFID"],
];

async function main(): Promise<void> {
  const { messages: count } = parseArgs(Deno.args, { string: ["messages"] });
  const messages = Number(count ?? 1_000_000);
  const folder = await Deno.makeTempDir({ prefix: "posthouse-admin-bench-" });
  try {
    await (await openSqliteStore({ folder }))[Symbol.asyncDispose]();
    fillQueue(`${folder}/${DATABASE_FILE}`, messages);
    await measure(folder, messages);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(folder: string, messages: number): Promise<void> {
  const clock = { ...systemClock, now: () => NOW_MS + messages * 100 };
  await using store = await openSqliteStore({ folder, clock, mode: "tool" });
  await using ports = await fakePorts({ clock });
  const app = createAdminApp(
    { ...ports, queue: { ...ports.queue, ...bound(store) } },
    { events: () => {}, openOnLoopback: true },
  );
  const half = Math.floor(messages / 2);
  report(`${messages} messages; slowest and median of ${ROUNDS}, ms`);
  for (const [name, path] of QUERIES) {
    const address = path.replace("HALFID", `01BENCH${String(half).padStart(9, "0")}`)
      .replace("HALF", String(half));
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const startedMs = performance.now();
      const response = await app.request(`http://localhost/api/v1/${address}`, {}, {
        peer: { kind: "unix" },
      });
      const text = await response.text();
      times.push(performance.now() - startedMs);
      if (response.status !== 200) throw new Error(`${path}: ${text}`);
    }
    const sorted = times.sort((a, b) => a - b);
    const [median = 0, slowest = 0] = [sorted[Math.floor(ROUNDS / 2)], sorted.at(-1)];
    const mark = slowest > LIMIT_MS ? "  over the limit" : "";
    report(
      `${name.padEnd(26)}${slowest.toFixed(1).padStart(9)}${median.toFixed(1).padStart(9)}${mark}`,
    );
  }
}

/** The queries of a store, for a port. */
function bound(store: Awaited<ReturnType<typeof openSqliteStore>>) {
  return {
    list: store.list.bind(store),
    count: store.count.bind(store),
    get: store.get.bind(store),
    stats: store.stats.bind(store),
  };
}

function report(line: string): void {
  // deno-lint-ignore no-console
  console.log(line);
}

if (import.meta.main) await main();
