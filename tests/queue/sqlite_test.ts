import { openSqliteStore } from "../../src/queue/sqlite/store.ts";
import { fixedClock } from "./messages.ts";
import { testStore } from "./store_conformance.ts";

testStore("sqlite store", async () => {
  const folder = await Deno.makeTempDir({ prefix: "posthouse-store-" });
  const store = await openSqliteStore({ folder, clock: fixedClock() });
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
});
