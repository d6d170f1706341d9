import { assert, assertEquals } from "@std/assert";
import { describe, describeCause } from "../../src/observe/describe.ts";
import { SAMPLE_EVENTS } from "./sample_events.ts";

Deno.test("describe says each event in a line of English", () => {
  for (const [event, sentence] of SAMPLE_EVENTS) assertEquals(describe(event), sentence);
});

Deno.test("describe escapes what came from elsewhere", () => {
  const line = describe({
    type: "command_refused",
    sessionId: "s",
    listener: "smtp",
    clientAddress: "192.0.2.9",
    verb: "A\x1b[2J",
    reply: "500 x\r\n250 ok\u009b\u202e",
  });
  assertEquals(
    line,
    "A\\u{1b}[2J from 192.0.2.9 on smtp refused: 500 x\\r\\n250 ok\\u{9b}\\u{202e}",
  );
});

Deno.test("describeCause ends, also where a cause is its own", () => {
  const loop = new Error("loop");
  loop.cause = loop;
  assert(describeCause(loop).length < 200);
  assertEquals(describeCause("text"), "text");
  assertEquals(describeCause(null), "null");
});
