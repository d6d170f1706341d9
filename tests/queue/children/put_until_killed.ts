/**
 * Puts, claims and settles until it is killed, and prints each number once that is on disk:
 * `p 7` for a put, `s 7` for a settlement. The argument is the store's folder.
 */
import { openSqliteStore } from "../../../src/queue/sqlite/store.ts";
import { messageOf, settlementOf } from "../messages.ts";

const store = await openSqliteStore({ folder: Deno.args[0] ?? "" });
const lease = { owner: "node-a", untilMs: Date.now() + 3_600_000 };

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function produce(first: number, step: number): Promise<never> {
  for (let number = first;; number += step) {
    await store.put(messageOf(number, { lease }));
    say(`p ${number}`);
    if (number % 3 !== 0) continue;
    await store.settle(settlementOf(number));
    say(`s ${number}`);
  }
}

const PRODUCERS = 8;
await Promise.all(Array.from({ length: PRODUCERS }, (_, at) => produce(at, PRODUCERS)));
