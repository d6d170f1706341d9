import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { BufferPool } from "../../../src/smtp/wire/buffer_pool.ts";
import { InputBuffer } from "../../../src/smtp/wire/input_buffer.ts";

Deno.test("input buffer: grows while reads fill it and gives the room back at rest", () => {
  const input = new InputBuffer(new BufferPool());
  const rooms: number[] = [];
  for (let round = 0; round < 4; round++) {
    rooms.push(flood(input));
    input.consume(input.length);
  }
  assertEquals(rooms, [512, 8192, 65_536, 65_536]);
  input.rest();
  assertEquals(flood(input), 512);
});

Deno.test("input buffer: keeps what waits when it moves and when it rests", () => {
  const input = new InputBuffer(new BufferPool());
  put(input, "abcdef");
  input.consume(2);
  input.expectMuch();
  put(input, "ghi");
  input.rest();
  assertEquals(decodeText(input.peek()), "cdefghi");
  assertEquals(input.indexOf(0x67, /* g */ 1), 4);
  assertEquals(input.indexOf(0x61, /* a */ 0), -1);
});

Deno.test("input buffer: does not find what an earlier borrower left behind", () => {
  const pool = new BufferPool();
  const first = new InputBuffer(pool);
  first.expectMuch();
  put(first, "old\r\nold\r\n");
  first.consume(first.length);
  first.rest();
  const second = new InputBuffer(pool);
  second.expectMuch();
  put(second, "new");
  assertEquals(second.indexOf(0x0a, 0), -1);
});

Deno.test("input buffer: has no room when the largest buffer is full", () => {
  const input = new InputBuffer(new BufferPool());
  while (input.length < 65_536) flood(input);
  assertEquals(input.room().length, 0);
});

Deno.test("buffer pool: lends the same buffer again and keeps no more than it may", () => {
  const pool = new BufferPool({ keep: 1 });
  const [first, second] = [pool.take(8192), pool.take(8192)];
  pool.give(first);
  pool.give(second);
  assertEquals(pool.take(8192) === first, true);
  assertEquals(pool.take(8192) === second, false);
});

function put(input: InputBuffer, text: string): void {
  input.room().set(encodeText(text));
  input.filled(text.length);
}

/** Fills all the room there is and returns how much it was. */
function flood(input: InputBuffer): number {
  const { length } = input.room();
  input.filled(length);
  return length;
}

Deno.test("buffer pool: idle buffers do not overlap", () => {
  const pool = new BufferPool();
  const buffers = Array.from({ length: 300 }, () => pool.take(512));
  for (const [index, buffer] of buffers.entries()) buffer.fill(index % 251);
  assertEquals(
    buffers.every((buffer, index) => buffer.every((octet) => octet === index % 251)),
    true,
  );
});

Deno.test("input buffer: what is given back at the end is lent again", () => {
  const pool = new BufferPool();
  const before = pool.take(512);
  pool.give(before);
  new InputBuffer(pool).release();
  assertEquals(pool.take(512) === before, true);
});
