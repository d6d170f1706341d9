/** Opens the store in the folder of the argument and prints `opened` or the kind of the failure. */
import { openSqliteStore } from "../../../src/queue/sqlite/store.ts";
import { StoreError } from "../../../src/queue/store.ts";

try {
  await using _store = await openSqliteStore({ folder: Deno.args[0] ?? "" });
  report("opened");
} catch (error) {
  report(error instanceof StoreError ? error.kind : String(error));
}

function report(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
