import { assertEquals, assertRejects } from "@std/assert";
import type { RelayParts } from "../../../src/app/admin/parts.ts";
import { queuePort } from "../../../src/app/admin/queue.ts";
import type { Outcome } from "../../../src/delivery/transport.ts";
import { openMemoryStore } from "../../../src/queue/memory/store.ts";
import { StoreError } from "../../../src/queue/store.ts";
import { DELIVERED, FakeTransport, setUp, stateOf } from "../../delivery/scheduler_setup.ts";
import { ManualClock } from "../../support/manual_clock.ts";

Deno.test("mail in line leaves by the way it was rerouted to, also if the answer was lost", async () => {
  const slow = Promise.withResolvers<Outcome>();
  const clock = new ManualClock();
  const store = openMemoryStore({ clock });
  const command = store.command.bind(store);
  store.command = async (request) => {
    await command(request);
    throw new StoreError("unavailable", "Cannot command: its worker died", { mayBeDone: true });
  };
  const transports = [
    new FakeTransport({ name: "a", maxConcurrency: 1, answer: () => slow.promise }),
    new FakeTransport({ name: "b" }),
  ];
  const rules = [{ name: "all", match: {}, transports: ["a"] }];
  const { scheduler, put } = setUp({ transports, rules, clock, store });
  await put("a.example");
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  const parts = { store, scheduler, clock, events: () => {}, webhooks: { isEmpty: true } };
  const port = queuePort(parts as unknown as RelayParts);
  const filter = { ids: [id] };
  await assertRejects(
    () => port.command({ filter, command: { kind: "reroute", transport: "b" }, by: "op" }),
    StoreError,
  );
  await clock.advance(0);
  assertEquals([await stateOf(store, id), transports[1]?.jobs.length], ["delivered", 1]);
  slow.resolve(DELIVERED);
  await scheduler.stop({ limitMs: 0 });
});
