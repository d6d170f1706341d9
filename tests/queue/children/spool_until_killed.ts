/** Writes a spool file in the store's folder of the argument, says `written`, and waits. */
import { openSqliteStore } from "../../../src/queue/sqlite/store.ts";

const store = await openSqliteStore({ folder: Deno.args[0] ?? "", mode: "tool" });
const spool = store.spool();
await spool.write(new Uint8Array(100_000));
await spool.finish();
Deno.stdout.writeSync(new TextEncoder().encode("written\n"));
setInterval(() => {}, 1_000);
