import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { fixedClock } from "./messages.ts";
import { testStore } from "./store_conformance.ts";

testStore("memory store", () => {
  const store = openMemoryStore({ clock: fixedClock() });
  return Promise.resolve({
    store,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  });
});
