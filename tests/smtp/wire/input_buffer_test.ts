import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { BufferPool } from "../../../src/smtp/wire/buffer_pool.ts";
import { InputBuffer } from "../../../src/smtp/wire/input_buffer.ts";

Deno.test("input buffer: grows while reads fill it and gives the room back at rest", async () => {
  const input = new InputBuffer(new BufferPool());
  const rooms: number[] = [];
  const flood = {
    read: (into: Uint8Array) => Promise.resolve(rooms.push(into.length) && into.length),
  };
  for (let round = 0; round < 4; round++) {
    await input.read(flood);
    input.consume(input.length);
  }
  assertEquals(rooms, [512, 8192, 65_536, 65_536]);
  input.rest();
  await input.read(flood);
  assertEquals(rooms.at(-1), 512);
});

Deno.test("input buffer: keeps what waits when it moves and when it rests", async () => {
  const input = new InputBuffer(new BufferPool());
  await input.read(source("abcdef"));
  input.consume(2);
  input.expectMuch();
  await input.read(source("ghi"));
  input.rest();
  assertEquals(decodeText(input.peek()), "cdefghi");
  assertEquals(input.indexOf(0x67, /* g */ 1), 4);
  assertEquals(input.indexOf(0x61, /* a */ 0), -1);
});

Deno.test("input buffer: does not find what an earlier borrower left behind", async () => {
  const pool = new BufferPool();
  const first = new InputBuffer(pool);
  first.expectMuch();
  await first.read(source("old\r\nold\r\n"));
  first.consume(first.length);
  first.rest();
  const second = new InputBuffer(pool);
  second.expectMuch();
  await second.read(source("new"));
  assertEquals(second.indexOf(0x0a, 0), -1);
});

Deno.test("input buffer: is over at the end of the stream and when nothing more fits", async () => {
  const input = new InputBuffer(new BufferPool());
  assertEquals(await input.read({ read: () => Promise.resolve(null) }), false);
  const flood = { read: (into: Uint8Array) => Promise.resolve(into.length) };
  while (input.length < 65_536) assertEquals(await input.read(flood), true);
  assertEquals(await input.read(flood), false);
});

Deno.test("buffer pool: lends the same buffer again and keeps no more than it may", () => {
  const pool = new BufferPool({ keep: 1 });
  const [first, second] = [pool.take(8192), pool.take(8192)];
  pool.give(first);
  pool.give(second);
  assertEquals(pool.take(8192) === first, true);
  assertEquals(pool.take(8192) === second, false);
});

function source(text: string) {
  return {
    read(into: Uint8Array): Promise<number> {
      into.set(encodeText(text));
      return Promise.resolve(text.length);
    },
  };
}
