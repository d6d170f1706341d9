import { assertEquals } from "@std/assert";
import {
  queueAddress,
  type QueueQueryResult,
  readQueueQuery,
} from "../../../src/admin/views/pages/queue/query.ts";
import { NOW_MS } from "../../queue/messages.ts";

function filterOf(given: Record<string, string[]>): unknown {
  const read: QueueQueryResult = readQueueQuery(given, NOW_MS);
  return read.kind === "ok" ? read.query.filter : [...read.errors.keys()];
}

const CASES: readonly [name: string, given: Record<string, string[]>, expected: unknown][] = [
  ["nothing means what waits", {}, { states: ["queued", "held"] }],
  ["all leaves nothing out", { view: ["all"] }, {}],
  ["failed means both ways to fail", { view: ["failed"] }, { states: ["failed", "expired"] }],
  ["an empty field means any", { view: ["all"], domain: ["  "] }, {}],
  ["<> means the null reverse-path", { view: ["all"], sender: ["<>"] }, { sender: "" }],
  ["domains are compared in lower case", { view: ["all"], domain: ["A.Example"] }, {
    domain: "a.example",
  }],
  ["ages become times", { view: ["all"], minAgeMs: ["60000"] }, {
    receivedBeforeMs: NOW_MS - 60_000,
  }],
  ["one id is a list of ids", { view: ["all"], ids: ["01test0000000001"] }, {
    ids: ["01TEST0000000001"],
  }],
  ["what is no filter is refused", { drop: ["table"] }, [""]],
  ["what is no view is refused", { view: ["constructor"] }, ["view"]],
  ["what is no number is refused", { minAgeMs: ["soon"] }, ["minAgeMs"]],
];

for (const [name, given, expected] of CASES) {
  Deno.test(`the address of a list: ${name}`, () => assertEquals(filterOf(given), expected));
}

Deno.test("an address keeps filters and forgets the place in the list", () => {
  const params = { domain: ["a&b.example"], cursor: ["9"], view: ["held"] };
  assertEquals(queueAddress(params), "/queue?domain=a%26b.example&view=held");
  assertEquals(queueAddress(params, { domain: null }), "/queue?view=held");
  assertEquals(queueAddress(params, { cursor: "8", domain: null }), "/queue?view=held&cursor=8");
});
