/** Queue ids: they sort by time, never repeat, and tell when they were made. */
import { assert, assertEquals } from "@std/assert";
import { idGenerator, isQueueId, timeOfQueueId } from "../../src/base/ids.ts";
import { ManualClock } from "../support/manual_clock.ts";

function generator(float: number) {
  const clock = new ManualClock();
  const random = { float: () => float, fill: (into: Uint8Array<ArrayBuffer>) => into };
  return { clock, next: idGenerator({ clock, random }) };
}

Deno.test("ids: the time in nine characters, then a number that counts", () => {
  const { clock, next } = generator(0);
  const ids = [next(), next()];
  clock.set(1);
  ids.push(next());
  assertEquals(ids.map((id) => id.slice(9)), ["0000000", "0000001", "0000000"]);
  assertEquals(ids.map(timeOfQueueId), [clock.now() - 1, clock.now() - 1, clock.now()]);
  assertEquals(ids.toSorted(), ids);
  assertEquals(generator(0.5).next().slice(9), "8000000");
  assertEquals(
    idGenerator({
      clock: { ...clock, now: () => 32 ** 9 - 1, monotonic: () => 0, schedule: () => () => {} },
      random: { float: () => 1 - 2 ** -53, fill: (into) => into },
    })(),
    "ZZZZZZZZZFZZZZZZ",
  );
});

Deno.test("ids: a clock that is set back gives no id twice, and none out of order", () => {
  const { clock, next } = generator(0.3);
  const ids: string[] = [];
  for (const byMs of [0, 0, -5_000, 0, 4_999, 2, 0]) {
    clock.set(byMs);
    ids.push(next());
  }
  assertEquals(ids.toSorted(), ids);
  assertEquals(new Set(ids).size, ids.length);
  assertEquals(timeOfQueueId(ids[3] ?? ""), clock.now() - 1);
});

Deno.test("ids: a millisecond whose numbers are used up lends from the next", () => {
  const { clock, next } = generator(2 - 2 ** -34); // as far as the last number
  const [last, after] = [next(), next()];
  assertEquals([last.slice(9), after.slice(9)], ["ZZZZZZZ", "0000000"]);
  assertEquals(timeOfQueueId(after), clock.now() + 1);
  const third = next();
  assert(third > after && after > last);
});

Deno.test("ids: what has the form of one", () => {
  for (const id of ["0123456789ABCDEF", "GHJKMNPQRSTVWXYZ"]) assert(isQueueId(id), id);
  for (
    const text of ["", "0123456789ABCDE", "0123456789ABCDEFG", "0123456789abcdef"]
      .concat(..."ILOU-".split("").map((letter) => `0123456789ABCDE${letter}`))
  ) assert(!isQueueId(text), text);
});
