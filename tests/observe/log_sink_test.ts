import { assert, assertEquals, assertMatch } from "@std/assert";
import { getLogger } from "@logtape/logtape";
import { decodeText } from "../../src/base/bytes.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { configureLogging, type LoggingOptions } from "../../src/observe/log_sink.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { SAMPLE_EVENTS } from "./sample_events.ts";

async function logged(
  events: readonly RelayEvent[],
  options: Partial<LoggingOptions>,
  alsoLog: () => void = () => {},
): Promise<string[]> {
  let text = "";
  const logging = configureLogging({
    level: "debug",
    format: "json",
    clock: new ManualClock(Date.UTC(2025, 6, 1, 9, 5, 0) + 7),
    write: (bytes) => void (text += decodeText(bytes)),
    ...options,
  });
  for (const event of events) logging.sink(event);
  alsoLog();
  await logging[Symbol.asyncDispose]();
  const lines = text.split("\n");
  assertEquals(lines.pop(), "");
  return lines;
}

const EVENTS = SAMPLE_EVENTS.map(([event]) => event);

Deno.test("as JSON each event is one object with all its fields", async () => {
  const lines = await logged(EVENTS, {});
  assertEquals(lines.length, EVENTS.length);
  for (const [index, event] of EVENTS.entries()) {
    const { time, level, ...fields } = JSON.parse(lines[index] ?? "");
    assertEquals(time, "2025-07-01T09:05:00.007Z");
    assert(["debug", "info", "warning", "error"].includes(level));
    if (event.type !== "trouble") assertEquals(fields, event);
    assertEquals(lines[index]?.match(/"level":/g)?.length, 1);
  }
});

Deno.test("as JSON a cause is text", async () => {
  const cause = new TypeError("odd");
  const event = { type: "trouble", level: "error", component: "x", message: "y", cause } as const;
  const [line = ""] = await logged([event], {});
  const fields = JSON.parse(line);
  assertEquals(fields.cause, "TypeError: odd");
  assertMatch(fields.stack, /^TypeError: odd\n/);
});

Deno.test("as text each event is one line with the id of its message", async () => {
  const lines = await logged(EVENTS, { format: "text" });
  assertEquals(lines.length, EVENTS.length);
  for (const [index, [event, sentence]] of SAMPLE_EVENTS.entries()) {
    const line = lines[index] ?? "";
    assertMatch(line, /^\d\d:\d\d:\d\d\.007 (debug|info |warn |ERROR) /);
    assert(line.endsWith(sentence), line);
    if ("messageId" in event) assert(line.includes(` ${event.messageId} `), line);
  }
});

Deno.test("text has colors only where they are asked for", async () => {
  const plain = await logged(EVENTS, { format: "text" });
  assert(plain.every((line) => !line.includes("\x1b")));
  const [colored = ""] = await logged(EVENTS, { format: "text", colors: true });
  // deno-lint-ignore no-control-regex
  assertEquals(colored.replace(/\x1b\[\d+m/g, ""), plain[0]);
});

Deno.test("events below the level are left out", async () => {
  const levels = (await logged(EVENTS, { level: "warning" })).map((line) => JSON.parse(line).level);
  assertEquals(new Set(levels), new Set(["warning", "error"]));
});

Deno.test("no text from elsewhere makes a second line", async () => {
  const event: RelayEvent = {
    type: "held",
    messageId: "01JZ0000000000M1",
    by: "a\r\n\u2028b",
    reason: "\x1b[31m",
  };
  for (const format of ["json", "text"] as const) {
    const lines = await logged([event], { format });
    assertEquals(lines.length, 1);
    // deno-lint-ignore no-control-regex
    assert(!/[\x00-\x1f]/.test(lines[0] ?? ""));
  }
});

Deno.test("warnings of libraries that log through LogTape are logged too", async () => {
  const lines = await logged([], {}, () => {
    getLogger(["library"]).info("not this");
    getLogger(["library"]).warning("found {what}\n", { what: "trouble" });
  });
  assertEquals(lines.map((line) => JSON.parse(line)), [{
    time: JSON.parse(lines[0] ?? "").time,
    level: "warning",
    type: "log",
    component: "library",
    message: "found trouble\n",
  }]);
});

Deno.test("lines that a slow reader missed are counted in words", async () => {
  for (const [lines, words] of [[1, "1 line was"], [2, "2 lines were"]] as const) {
    let text = "";
    let isFull = true;
    const logging = configureLogging({
      ...{ level: "info", format: "text", clock: new ManualClock() },
      write: (bytes) => {
        if (isFull) throw new Error("no space");
        text += decodeText(bytes);
      },
    });
    for (let line = 0; line < lines; line++) logging.sink({ type: "draining" });
    await logging.flush();
    isFull = false;
    await logging[Symbol.asyncDispose]();
    assertMatch(text, new RegExp(`warn  log: ${words} lost: the reader is slow\n$`));
  }
});
