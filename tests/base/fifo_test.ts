/** A queue against a list. */
import { assertEquals } from "@std/assert";
import { Fifo } from "../../src/base/fifo.ts";
import { seededRandom, shuffled } from "../../src/base/random.ts";

Deno.test("fifo: after any puts and takes it holds what the list holds", () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = seededRandom(seed);
    const fifo = new Fifo<number>();
    let list: number[] = [];
    for (let step = 0; step < 600; step++) {
      const roll = random.float() * (step % 200 < 100 ? 0.7 : 1.2);
      if (roll < 0.5) {
        fifo.push(step);
        list.push(step);
      } else if (roll < 0.55) {
        fifo.unshift(step);
        list.unshift(step);
      } else if (roll < 1.195) assertEquals(fifo.shift(), list.shift());
      else {
        assertEquals(fifo.drain(), list);
        list = [];
      }
      assertEquals(fifo.length, list.length);
      if (step % 25 === 0) assertEquals([...fifo], list);
    }
    assertEquals([...fifo], list);
    assertEquals(fifo.drain(), list);
    assertEquals([fifo.shift(), fifo.length, [...fifo]], [undefined, 0, []]);
  }
});

Deno.test("shuffled: the same items, the same for the same seed, in every place", () => {
  const items = [0, 1, 2, 3];
  const places = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const mixed = shuffled(items, seededRandom(seed));
    assertEquals(mixed.toSorted(), items);
    assertEquals(shuffled(items, seededRandom(seed)), mixed);
    mixed.forEach((item, place) => places.add(`${item} ${place}`));
  }
  assertEquals(places.size, 16);
  assertEquals(items, [0, 1, 2, 3]);
});

Deno.test("seeded random: known numbers, octets of all values", () => {
  const random = seededRandom(1);
  assertEquals([random.float(), random.float()], [0.6270739405881613, 0.002735721180215478]);
  const octets = random.fill(new Uint8Array(5_000));
  assertEquals(new Set(octets).size, 256);
});
