import { assertEquals } from "@std/assert";
import type { StampedEvent, StoreStats } from "../../../src/admin/ports.ts";
import {
  type AttentionFacts,
  attentionItems,
  OLD_MS,
} from "../../../src/admin/views/pages/overview/attention.ts";
import { NOW_MS } from "../../queue/messages.ts";
import { waysOf } from "./fixture/ways.ts";

const QUIET: StoreStats = {
  recipients: { queued: 0, held: 0, delivered: 4, failed: 0, expired: 0, cancelled: 0 },
  liveMessages: 0,
  oldestReceivedAtMs: null,
  nextDueAtMs: null,
};

function titles(overrides: Partial<AttentionFacts> = {}): string[] {
  const { destinations, transports } = waysOf({ nowMs: NOW_MS, calm: true });
  return attentionItems({
    ...{ nowMs: NOW_MS, destinations, transports, stats: QUIET, events: [] },
    health: [{ name: "store", ok: true, detail: "" }],
    ...overrides,
  }).map(({ title }) => title);
}

function trouble(message: string, atMs: number): StampedEvent {
  const event = { type: "trouble", level: "error", component: "tls", message } as const;
  return { id: 1, atMs, event };
}

Deno.test("a relay in order needs nobody", () => {
  assertEquals(titles(), []);
});

Deno.test("what is down comes before what is held", () => {
  const { destinations, transports } = waysOf({ nowMs: NOW_MS, calm: false });
  const stats = { ...QUIET, recipients: { ...QUIET.recipients, held: 1 } };
  assertEquals(titles({ destinations, transports, stats }), [
    "Transport mailgun is down",
    "harbour.example is unreachable by internet",
    "1 recipient held",
  ]);
});

Deno.test("a check that fails is the first thing to know", () => {
  const health = [{ name: "disk", ok: false, detail: "12 MiB are left." }];
  assertEquals(titles({ health }), ["Not ready: disk"]);
});

Deno.test("mail is old after an hour", () => {
  const at = (ageMs: number): string[] =>
    titles({ stats: { ...QUIET, oldestReceivedAtMs: NOW_MS - ageMs } });
  assertEquals(at(OLD_MS - 1), []);
  assertEquals(at(OLD_MS), ["Mail has waited for a long time"]);
});

Deno.test("one trouble shows once, and not for ever", () => {
  const events = [
    trouble("expired", NOW_MS - 1),
    trouble("expired", NOW_MS - 2),
    trouble("old", NOW_MS - 2 * 86_400_000),
  ];
  assertEquals(titles({ events }), ["Problem in tls"]);
});

Deno.test("many destinations in trouble take three lines and one for the rest", () => {
  const { destinations } = waysOf({ nowMs: NOW_MS, calm: false });
  const down = destinations.flatMap((one) => [one, one])
    .map((one, index) => ({ ...one, name: `${index}.example`, state: "down" as const }));
  assertEquals(titles({ destinations: down }).length, 4);
});
