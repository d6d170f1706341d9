/**
 * How fast the admin API lists, filters and counts a long queue on the SQLite store. The queue is
 * written into the database directly, which takes a few seconds instead of minutes.
 *
 *     deno run --allow-read --allow-write --allow-env --allow-sys tests/bench/admin_bench.ts \
 *       [--messages=1000000] [--folder=one that was filled before]
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
       'sender' || (n % 5000) || '@origin' || (n % 50) || '.example',
       json_set(?, '$.id', printf('01BENCH%09d', n), '$.summary.subject', 'Invoice ' || n,
         '$.facts.sizeBytes', 500 + n % 20000, '$.origin.listener', iif(n % 3, 'smtp', 'office')),
       NULL, 1 << (${state}), (${state}) = 0, (${state}) = 1, (${state}) = 2, 0, 0, 0, '',
       iif((${state}) = 2, 1, NULL), 0
     FROM number`,
  ).run(messages, NOW_MS, JSON.stringify(record));
  database.prepare(
    `INSERT INTO recipients
     SELECT seq * ${POSITIONS}, 'user' || (seq * 7919 % 100003) || '@dest' || (seq % 200) || '.example',
       'dest' || (seq % 200) || '.example', NULL, queued * 0 + held * 1 + delivered * 2,
       seq % 7, ? + seq * 100, 0, iif(seq % 7, '451 4.7.1 Greylisted, try again', ''), NULL, NULL,
       iif(seq % 7, iif(seq % 5, 'mx', 'backup'), NULL), received_at, 500 + seq % 20000,
       iif(seq % 3, 'smtp', 'office')
     FROM messages`,
  ).run(NOW_MS);
  database.exec(
    `INSERT INTO facts
     SELECT m.seq, mask, m.received_at, 500 + m.seq % 20000, iif(m.seq % 3, 'smtp', 'office'),
       lower(reverse_path || char(10) || 'invoice ' || m.seq || char(10) || reverse_path ||
         char(10) || forward_path), 0
     FROM messages m CROSS JOIN recipients r ON r.key = m.seq * ${POSITIONS}`,
  );
  database.exec(
    `INSERT INTO counters SELECT mask, count(*) FROM messages GROUP BY mask;
     INSERT INTO counters SELECT 100 + state, count(*) FROM recipients GROUP BY state;
     COMMIT`,
  );
}

/** The old half of the queue, and its last minute. */
const OLD = `receivedBeforeMs=${NOW_MS + 50_000_000}`;
const FIRST_MINUTE = `receivedBeforeMs=${NOW_MS + 60_000}`;

/** Filters that are listed and counted. */
const FILTERS: readonly (readonly [name: string, query: string])[] = [
  ["all", ""],
  ["state: waiting", "states=queued&states=held"],
  ["state: held", "states=held"],
  ["age", `${OLD}&states=queued`],
  ["domain", "domain=dest17.example"],
  ["domain, nothing there", "domain=none.example"],
  ["domain and age", `domain=dest3.example&${FIRST_MINUTE}`],
  ["subdomains", "domain=example&subdomains=true"],
  ["recipient", "recipient=user7919@dest1.example"],
  ["sender", "sender=sender4321@origin21.example"],
  ["sender and state", "sender=sender4321@origin21.example&states=held"],
  ["transport", "transport=backup"],
  ["transport and state", "transport=backup&states=queued"],
  ["listener", "listener=office"],
  ["size", "minSizeBytes=20000"],
  ["attempts", "minAttempts=5"],
  ["reply code", "replyCode=451"],
  ["reply code and listener", "replyCode=451&listener=office"],
  ["text, everywhere", "text=invoice"],
  ["text, rare", "text=invoice%20777"],
  ["text, nowhere", "text=no%20such%20thing"],
  ["text and state", "text=invoice%2077&states=queued&states=held"],
  ["text everywhere and state", "text=invoice&states=queued&states=held"],
  ["text and domain", "text=invoice%2077&domain=dest17.example"],
  ["text everywhere and reply", "text=invoice&replyCode=451"],
  ["sender and reply", "sender=sender4321@origin21.example&replyCode=451"],
  [
    "eight at once",
    `states=queued&transport=mx&listener=office&minAttempts=2&replyCode=451&minSizeBytes=600&${OLD}` +
    "&text=dest3.example",
  ],
];

const QUERIES: readonly (readonly [name: string, path: string])[] = [
  ...FILTERS.flatMap(([name, query]): [string, string][] => [
    [`list ${name}`, `messages?${query}`],
    [`count ${name}`, `messages/count?${query}`],
  ]),
  ["page in the middle", "messages?cursor=HALF"],
  ["oldest first", "messages?order=oldest"],
  ["next attempt first", "messages?order=next"],
  ["largest first", "messages?order=largest"],
  ["most attempts first", "messages?order=attempts&states=queued"],
  ["largest of a domain", "messages?order=largest&domain=dest17.example"],
  ["next of a rare text", "messages?order=next&text=invoice%20777"],
  ["shape", "queue/shape?limit=100"],
  ["status", "status"],
  ["one message", "messages/HALFID"],
];

async function main(): Promise<void> {
  const { messages: count, folder: kept } = parseArgs(Deno.args, {
    string: ["messages", "folder"],
  });
  const messages = Number(count ?? 1_000_000);
  if (typeof kept === "string") return await measure(kept, messages);
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
  report(`${messages} messages; first, slowest and median of ${ROUNDS}, processor time; ms`);
  for (const [name, path] of QUERIES) {
    const address = path.replace("HALFID", `01BENCH${String(half).padStart(9, "0")}`)
      .replace("HALF", String(half));
    const times: number[] = [];
    const cpuStart = cpuMs();
    let text = "";
    for (let round = 0; round < ROUNDS; round++) {
      const startedMs = performance.now();
      const response = await app.request(`http://localhost/api/v1/${address}`, {}, {
        peer: { kind: "unix" },
      });
      text = await response.text();
      times.push(performance.now() - startedMs);
      if (response.status !== 200) throw new Error(`${path}: ${text}`);
    }
    const first = times[0] ?? 0;
    const sorted = times.sort((a, b) => a - b);
    const [median = 0, slowest = 0] = [sorted[Math.floor(ROUNDS / 2)], sorted.at(-1)];
    const mark = slowest > LIMIT_MS ? "  over the limit" : "";
    const figures = [first, slowest, median, (cpuMs() - cpuStart) / ROUNDS].map((one) =>
      one.toFixed(1).padStart(9)
    ).join("");
    report(`${name.padEnd(32)}${figures}  ${summaryOf(text)}${mark}`);
  }
}

/** User and system time of this process, all threads (proc(5), 10 ms ticks). */
function cpuMs(): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What was found, in a few words. */
function summaryOf(text: string): string {
  const { count, isComplete, items, cursor } = JSON.parse(text);
  if (count !== undefined) return `${count}${isComplete ? "" : " and more"}`;
  if (items === undefined) return "";
  return `${items.length} shown${cursor === null ? "" : ", more to come"}`;
}

/** The queries of a store, for a port. */
function bound(store: Awaited<ReturnType<typeof openSqliteStore>>) {
  return {
    list: store.list.bind(store),
    count: store.count.bind(store),
    countWithin: store.countWithin.bind(store),
    get: store.get.bind(store),
    stats: store.stats.bind(store),
  };
}

function report(line: string): void {
  // deno-lint-ignore no-console
  console.log(line);
}

if (import.meta.main) await main();
