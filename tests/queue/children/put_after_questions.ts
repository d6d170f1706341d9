/**
 * Opens the store in the folder of the argument, stores a message and asks for everything that can
 * be asked, says `ready` and waits for a line. Then it stores three more messages, says `stored`
 * once they are on disk, and waits to be killed.
 */
import { openSqliteStore } from "../../../src/queue/sqlite/store.ts";
import { inspectQueue } from "../../../src/queue/sqlite/snapshot.ts";
import { idOf, messageOf } from "../messages.ts";

const folder = Deno.args[0] ?? "";
const store = await openSqliteStore({ folder });
await store.put(messageOf(0));
await store.list({ filter: {}, limit: 10 });
await store.list({ filter: { text: "message" }, order: "largest", limit: 10 });
await store.count({ text: "message" });
await store.get(idOf(0));
await Array.fromAsync(await store.body(idOf(0)) ?? []);
await store.outbox.read({ after: 0, limit: 10 });
await store.stats();
{
  await using tool = await openSqliteStore({ folder, mode: "tool" });
  await tool.list({ filter: {}, limit: 10 });
}
const worker = { workerUrl: new URL("../../../src/queue/sqlite/worker.ts", import.meta.url) };
const [from, to] = [`${folder}/queue.db`, `${folder}/copy.db`];
await inspectQueue({ kind: "snapshot", from, to }, worker);
say("ready");
await Deno.stdin.read(new Uint8Array(1));
for (const number of [1, 2, 3]) await store.put(messageOf(number));
say("stored");
setInterval(() => {}, 1_000);

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
