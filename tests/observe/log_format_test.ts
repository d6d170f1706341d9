/** Lines of the log, to the character. */
import { assertEquals } from "@std/assert";
import { EventRecord } from "../../src/observe/event_record.ts";
import { jsonFormatter, textFormatter } from "../../src/observe/log_format.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import type { EventLevel } from "../../src/observe/event_level.ts";

const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const HELD: RelayEvent = { type: "held", messageId: "M1", by: "admin" };

function record(event: RelayEvent, level: EventLevel = "info", timeMs = START_MS): EventRecord {
  return new EventRecord(event, { level, timeMs });
}

/** The time of day where the test runs. */
function localTime(timeMs: number): string {
  return new Date(timeMs).toLocaleTimeString("en-GB", { hourCycle: "h23" });
}

Deno.test("text: time, level, what it is about, what happened; colors around each", () => {
  const plain = textFormatter({ colors: false });
  const colored = textFormatter({ colors: true });
  const time = `${localTime(START_MS)}.007`;
  const rows: [RelayEvent, EventLevel, string, string][] = [
    [HELD, "info", "info  M1 held by admin", "info  \x1b[36mM1\x1b[0m held by admin"],
    [{ type: "draining" }, "warning", "warn  draining", "\x1b[33mwarn \x1b[0m draining"],
    [{ type: "draining" }, "error", "ERROR draining", "\x1b[31mERROR\x1b[0m draining"],
    [{ type: "draining" }, "debug", "debug draining", "\x1b[2mdebug\x1b[0m draining"],
    [
      {
        ...{ type: "session_opened", sessionId: "S1", listener: "smtp" },
        ...{ clientAddress: "192.0.2.1", clientPort: 9 },
      },
      "debug",
      "debug S1 session opened on smtp by 192.0.2.1 port 9",
      "\x1b[2mdebug\x1b[0m \x1b[36mS1\x1b[0m session opened on smtp by 192.0.2.1 port 9",
    ],
  ];
  for (const [event, level, text, withColors] of rows) {
    assertEquals(plain(record(event, level, START_MS + 7)), `${time} ${text}`);
    assertEquals(
      colored(record(event, level, START_MS + 7)),
      `\x1b[2m${time}\x1b[0m ${withColors}`,
    );
  }
});

Deno.test("text and JSON: each line has its own time, also right after another", () => {
  const [text, json] = [textFormatter({ colors: false }), jsonFormatter()];
  for (const laterMs of [0, 1, 1, 999, 1000, 61_000, 3_600_000, 5]) {
    const timeMs = START_MS + laterMs;
    const fraction = String(timeMs % 1000).padStart(3, "0");
    assertEquals(
      text(record(HELD, "info", timeMs)),
      `${localTime(timeMs)}.${fraction} info  M1 held by admin`,
    );
    assertEquals(
      json(record(HELD, "info", timeMs)),
      `{"time":"${new Date(timeMs).toISOString()}","level":"info",` +
        `"type":"held","messageId":"M1","by":"admin"}`,
    );
  }
});

Deno.test("JSON: a trouble has its level once, and its cause where it has one", () => {
  const json = jsonFormatter();
  const trouble = {
    type: "trouble",
    level: "warning",
    component: "queue",
    message: "slow",
  } as const;
  const head = `{"time":"${new Date(START_MS).toISOString()}","level":"warning",` +
    `"type":"trouble","component":"queue","message":"slow"`;
  assertEquals(json(record(trouble, "warning")), `${head}}`);
  assertEquals(json(record({ ...trouble, cause: "full" }, "warning")), `${head},"cause":"full"}`);
});

Deno.test("records of libraries are of their category, and can do nothing to a terminal", () => {
  const library = {
    category: ["a", "b"],
    level: "fatal",
    timestamp: START_MS,
    rawMessage: "",
    properties: {},
    message: ["went ", new TypeError("odd"), "\x1b[2J"],
  } as const;
  assertEquals(
    textFormatter({ colors: false })(library),
    `${localTime(START_MS)}.000 ERROR a.b: went TypeError: odd\\u{1b}[2J`,
  );
  assertEquals(JSON.parse(jsonFormatter()(library)), {
    ...{ time: new Date(START_MS).toISOString(), level: "fatal", type: "log", component: "a.b" },
    message: "went TypeError: odd\x1b[2J",
  });
});
