import { assertEquals, assertRejects } from "@std/assert";
import { Gate } from "../../src/base/gate.ts";

Deno.test("a gate lets so many run and the others follow in order", async () => {
  const gate = new Gate(2);
  const started: number[] = [];
  const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const runs = ends.map(({ promise }, index) =>
    gate.run(() => {
      started.push(index);
      return promise;
    })
  );
  assertEquals(started, [0, 1]);
  ends[1]?.reject(new Error("no"));
  await assertRejects(() => runs[1] ?? Promise.resolve(), Error, "no");
  assertEquals(started, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await Promise.allSettled(runs);
  assertEquals(started, [0, 1, 2, 3]);
  assertEquals(await gate.run(() => Promise.resolve("free again")), "free again");
});
