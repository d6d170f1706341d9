import { assertEquals } from "@std/assert";
import { decodeText } from "../../src/base/bytes.ts";
import { LineWriter } from "../../src/observe/line_writer.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A writer whose writes end when the test says so. */
function slowWriter(): {
  written: string[];
  write: (bytes: Uint8Array) => Promise<void>;
  end(failure?: Error): void;
} {
  const written: string[] = [];
  const pending: PromiseWithResolvers<void>[] = [];
  return {
    written,
    write(bytes) {
      written.push(decodeText(bytes));
      const result = Promise.withResolvers<void>();
      pending.push(result);
      return result.promise;
    },
    end(failure) {
      const result = pending.shift();
      if (failure === undefined) result?.resolve();
      else result?.reject(failure);
    },
  };
}

const lossLine = (lines: number): string => `lost ${lines}`;

Deno.test("lines of one moment are written together", async () => {
  const clock = new ManualClock();
  const written: string[] = [];
  const write = (bytes: Uint8Array): void => void written.push(decodeText(bytes));
  await using lines = new LineWriter({ write, clock, lossLine });
  lines.add("one");
  lines.add("two");
  assertEquals(written, []);
  await clock.advance(10);
  assertEquals(written, ["one\ntwo\n"]);
  assertEquals(clock.nextTimerAtMs, null);
});

Deno.test("many lines are written at once", async () => {
  const clock = new ManualClock();
  const written: string[] = [];
  const write = (bytes: Uint8Array): void => void written.push(decodeText(bytes));
  await using lines = new LineWriter({ write, clock, lossLine, flushChars: 8 });
  lines.add("one");
  lines.add("two");
  assertEquals(written, ["one\ntwo\n"]);
  assertEquals(clock.nextTimerAtMs, null);
});

Deno.test("while a write goes on lines wait, and what is too much is counted", async () => {
  const clock = new ManualClock();
  const writer = slowWriter();
  const lines = new LineWriter({ write: writer.write, clock, lossLine, waitingChars: 10 });
  lines.add("one");
  const flushed = lines.flush();
  for (const line of ["two", "three", "four", "five"]) lines.add(line);
  assertEquals(writer.written, ["one\n"]);
  writer.end();
  await Promise.resolve();
  await Promise.resolve();
  assertEquals(writer.written, ["one\n", "two\nthree\nlost 2\n"]);
  writer.end();
  await flushed;
});

Deno.test("lines that could not be written are counted, and later ones are tried", async () => {
  const clock = new ManualClock();
  const writer = slowWriter();
  const lines = new LineWriter({ write: writer.write, clock, lossLine });
  lines.add("one");
  let flushed = lines.flush();
  writer.end(new Error("no space"));
  await flushed;
  lines.add("two");
  flushed = lines.flush();
  assertEquals(writer.written, ["one\n", "two\nlost 1\n"]);
  writer.end();
  await flushed;
  const throwing = new LineWriter({
    clock,
    lossLine,
    write: () => {
      throw new Error("closed");
    },
  });
  throwing.add("x");
  await throwing.flush();
});

Deno.test("a line waits for ten milliseconds, and 64 KiB for none", async () => {
  const clock = new ManualClock();
  const written: number[] = [];
  const write = (bytes: Uint8Array): void => void written.push(bytes.length);
  await using lines = new LineWriter({ write, clock, lossLine });
  lines.add("one");
  await clock.advance(9);
  assertEquals(written, []);
  lines.add("two");
  await clock.advance(1);
  assertEquals(written, [8], "the first line sets the time");
  lines.add("x".repeat(65_534));
  assertEquals(written, [8]);
  lines.add("");
  assertEquals(written, [8, 65_536]);
  assertEquals(clock.timers, 0);
});

Deno.test("a mebibyte may wait while the reader is slow", async () => {
  const clock = new ManualClock();
  const writer = slowWriter();
  const lines = new LineWriter({ write: writer.write, clock, lossLine });
  lines.add("one");
  const flushed = lines.flush();
  lines.add("x".repeat(1_048_574));
  lines.add("y");
  lines.add("");
  writer.end();
  await clock.advance(0);
  assertEquals(writer.written.slice(1).map((text) => text.slice(1_048_574)), ["\n\nlost 1\n"]);
  writer.end();
  await flushed;
});

Deno.test("what was lost is counted until the line that says so gets through", async () => {
  const clock = new ManualClock();
  const written: string[] = [];
  let isFull = true;
  const lines = new LineWriter({
    clock,
    lossLine,
    write: (bytes) => {
      if (isFull) throw new Error("no space");
      written.push(decodeText(bytes));
    },
  });
  for (const line of ["one", "two"]) lines.add(line);
  await lines.flush();
  lines.add("three");
  await lines.flush();
  isFull = false;
  await lines.flush();
  assertEquals(written, ["lost 3\n"]);
  await lines.flush();
  assertEquals(written, ["lost 3\n"], "once");
  assertEquals(clock.timers, 0);
});

Deno.test("the end waits for what is written, and for what arrived meanwhile", async () => {
  const clock = new ManualClock();
  const writer = slowWriter();
  const lines = new LineWriter({ write: writer.write, clock, lossLine });
  lines.add("one");
  let isDone = false;
  const ended = lines[Symbol.asyncDispose]().then(() => isDone = true);
  lines.add("two");
  for (const count of [1, 2]) {
    await clock.advance(0);
    assertEquals([writer.written.length, isDone], [count, false]);
    writer.end();
  }
  await ended;
  assertEquals(writer.written, ["one\n", "two\n"]);
});
