/** What waits, added up: pure, for both stores alike. */
import { assertEquals } from "@std/assert";
import {
  crowdsOf,
  firstSlots,
  reasonOf,
  type ShapeRow,
  slotOf,
  together,
} from "../../src/queue/shape.ts";

const FIVE_MINUTES_MS = 300_000;

Deno.test("shape: times are told apart by five minutes", () => {
  assertEquals([0, FIVE_MINUTES_MS - 1, FIVE_MINUTES_MS].map(slotOf), [0, 0, 1]);
  const request = { nowMs: 10 * FIVE_MINUTES_MS, limit: 1 };
  const agesMs = [FIVE_MINUTES_MS, 3 * FIVE_MINUTES_MS + 1];
  assertEquals(firstSlots({ ...request, agesMs }), [9, 6]);
});

const REASONS: Readonly<Record<string, string>> = {
  "": "",
  "451": "451",
  "451 4.7.1 Greylisted": "451 4.7.1",
  "250 2.0.0 ok": "250 2.0.0",
  "550 5.1.1": "550 5.1.1",
  "451 Come back": "451",
  "451 3.7.1 ok": "451",
  "451 4.7.1000000 much": "451",
  "199 4.0.0 x": "other",
  "651 4.0.0 x": "other",
  "4511 x": "other",
  "x451 x": "other",
  "Nobody answers": "other",
};

Deno.test("shape: a reply is told by its codes", () => {
  for (const [reply, reason] of Object.entries(REASONS)) {
    assertEquals(reasonOf(reply), reason, reply);
  }
});

function row(state: "queued" | "held", reason: string, slot: number, count: number): ShapeRow {
  return { state, reason, slot, count };
}

Deno.test("shape: rows add up by state and reason, a border belongs to the younger class", () => {
  const rows = [
    ...[row("queued", "451", 9, 1), row("queued", "451", 8, 2), row("queued", "451", 4, 4)],
    ...[row("queued", "451", 3, 8), row("queued", "451", 9, 16), row("held", "451", 9, 32)],
  ];
  assertEquals(crowdsOf(rows, [9, 4]), [
    { state: "held", reason: "451", ages: [32, 0, 0], recipients: 32 },
    { state: "queued", reason: "451", ages: [17, 6, 8], recipients: 31 },
  ]);
});

Deno.test("shape: what cancels out is not told", () => {
  assertEquals(crowdsOf([row("queued", "", 1, 2), row("queued", "", 1, -2)], [1]), []);
});

Deno.test("shape: the largest crowd first, then by reason, what is queued before what is held", () => {
  const order = [
    ["queued", "450", 3],
    ["held", "450", 3],
    ["held", "451", 3],
    ["queued", "452", 3],
    ["held", "452", 3],
    ["queued", "421", 2],
    ["held", "400", 1],
  ] as const;
  for (const turned of [order, order.toReversed(), [...order.slice(3), ...order.slice(0, 3)]]) {
    const rows = turned.map(([state, reason, count]) => row(state, reason, 0, count));
    const told = crowdsOf(rows, []).map(({ state, reason, recipients }) =>
      [state, reason, recipients] as const
    );
    assertEquals(told, [...order]);
  }
});

Deno.test("shape: crowds together have the sum of each age", () => {
  const crowds = [{ recipients: 3, ages: [1, 2] }, { recipients: 9, ages: [4, 5] }];
  assertEquals(together(crowds, 2), { recipients: 12, ages: [5, 7] });
  assertEquals(together([], 2), { recipients: 0, ages: [0, 0] });
});
