import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { parseTraceparent, traceOfMessage } from "../../src/observe/traces.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("a traceparent is read", () => {
  const expected = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };
  assertEquals(parseTraceparent(`00-${TRACE}-${SPAN}-01`), expected);
  assertEquals(parseTraceparent(`00-${TRACE}-${SPAN}-02`), { ...expected, traceFlags: 0 });
  // W3C Trace Context 4: a version of the future may have more fields.
  assertEquals(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`), expected);
});

for (
  const text of [
    "",
    `00-${TRACE}-${SPAN}`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
  ]
) {
  Deno.test(`${JSON.stringify(text)} is no traceparent`, () => {
    assertEquals(parseTraceparent(text), null);
  });
}

Deno.test("the trace of a message follows from its id", () => {
  const trace = traceOfMessage("1M84EQRXE3K2ZW60");
  assertMatch(trace.traceId, /^[0-9a-f]{32}$/);
  assertMatch(trace.spanId, /^[0-9a-f]{16}$/);
  assertEquals(traceOfMessage("1M84EQRXE3K2ZW60"), trace);
  assertNotEquals(traceOfMessage("1M84EQRXE3K2ZW61").traceId, trace.traceId);
});
