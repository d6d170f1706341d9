import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RelayEvent } from "../../src/observe/events.ts";
import { createMetrics, type Metrics, type QueueFigures } from "../../src/observe/metrics.ts";
import { havePeer, runPeer } from "../support/peers.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { SAMPLE_EVENTS } from "./sample_events.ts";

const START_MS = Date.UTC(2025, 6, 1);
const FIGURES: QueueFigures = {
  recipients: { queued: 2, held: 0, delivered: 7 },
  liveMessages: 2,
  oldestReceivedAtMs: START_MS - 90_000,
};

function metrics(queue: () => Promise<QueueFigures> = () => Promise.resolve(FIGURES)): Metrics {
  const clock = new ManualClock(START_MS);
  return createMetrics({ version: "1.2.3", clock, queue, residentBytes: () => 4096 });
}

async function rendered(events: readonly RelayEvent[]): Promise<string> {
  const { sink, render } = metrics();
  for (const event of events) sink(event);
  return await render();
}

const EVENTS = SAMPLE_EVENTS.map(([event]) => event);

Deno.test("events are counted", async () => {
  const text = await rendered([...EVENTS, ...EVENTS]);
  const lines = [
    'posthouse_sessions_total{listener="smtp"} 2',
    'posthouse_sessions_open{listener="smtp"} 0',
    'posthouse_commands_refused_total{listener="smtp",verb="RCPT",code="554"} 2',
    'posthouse_messages_accepted_total{listener="smtp"} 2',
    'posthouse_recipients_accepted_total{listener="smtp"} 6',
    'posthouse_accepted_bytes_total{listener="smtp"} 4200',
    'posthouse_messages_refused_total{listener="smtp",code="451"} 2',
    'posthouse_deliveries_total{transport="mx",outcome="delivered"} 2',
    'posthouse_deliveries_total{transport="mx",outcome="uncertain"} 2',
    'posthouse_delivery_delay_seconds_bucket{transport="mx",le="60"} 0',
    'posthouse_delivery_delay_seconds_bucket{transport="mx",le="300"} 2',
    'posthouse_delivery_delay_seconds_bucket{transport="mx",le="+Inf"} 2',
    'posthouse_delivery_delay_seconds_sum{transport="mx"} 250',
    'posthouse_delivery_delay_seconds_count{transport="mx"} 2',
    'posthouse_notifications_total{action="failed"} 2',
    'posthouse_operator_actions_total{action="held"} 2',
    'posthouse_destinations_down{transport="mx"} 0',
    'posthouse_troubles_total{component="queue",level="error"} 2',
    'posthouse_queue_recipients{state="queued"} 2',
    "posthouse_queue_up 1",
    "posthouse_queue_messages 2",
    "posthouse_queue_oldest_age_seconds 90",
    'posthouse_build_info{version="1.2.3"} 1',
    `process_start_time_seconds ${START_MS / 1000}`,
    "process_resident_memory_bytes 4096",
  ];
  for (const line of lines) assertStringIncludes(text, `\n${line}\n`);
});

Deno.test("a queue that does not answer does not spoil the scrape", async () => {
  const text = await metrics(() => Promise.reject(new Error("gone"))).render();
  assertStringIncludes(text, "\nposthouse_queue_up 0\n");
  assert(!text.includes("posthouse_queue_messages"));
});

Deno.test("a destination that is reported down twice is down once", async () => {
  const event = { transport: "mx", destination: "example.com", reason: "x" };
  const down = { type: "destination_down", ...event } as const;
  const up = { type: "destination_up", ...event } as const;
  const line = 'posthouse_destinations_down{transport="mx"}';
  assertStringIncludes(await rendered([down, down]), `${line} 1\n`);
  assertStringIncludes(await rendered([down, down, up, up]), `${line} 0\n`);
});

Deno.test("the number of series is bounded, whatever the labels", async () => {
  const refused = (verb: string, listener: string): RelayEvent => ({
    type: "command_refused",
    sessionId: "s",
    listener,
    clientAddress: "192.0.2.9",
    verb,
    reply: "500 5.5.1 Unknown",
  });
  const events = Array.from({ length: 1000 }, (_, at) => refused(`X${at}`, "smtp"));
  const verbs = (await rendered(events)).match(/^posthouse_commands_refused_total.*$/gm);
  assertEquals(verbs, [
    'posthouse_commands_refused_total{listener="smtp",verb="other",code="500"} 1000',
  ]);
  const many = Array.from({ length: 1000 }, (_, at) => refused("RCPT", `l${at}\n"\\`));
  const lines = (await rendered(many)).match(/^posthouse_commands_refused_total.*$/gm) ?? [];
  assertEquals(lines.length, 201);
  assertEquals(
    lines[0],
    String.raw`posthouse_commands_refused_total{listener="l0\n\"\\",verb="RCPT",code="500"} 1`,
  );
  assertStringIncludes(lines[200] ?? "", 'listener="other",verb="other",code="other"} 800');
});

Deno.test("the README lists every metric, with its type", async () => {
  const readme = await Deno.readTextFile(
    new URL("../../src/observe/README.md", import.meta.url),
  );
  const documented = [...readme.matchAll(/^\| `(\w+)` +\| (counter|gauge|histogram) +\|/gm)]
    .map(([, name, type]) => `${name} ${type}`);
  const text = await rendered(EVENTS);
  const actual = [...text.matchAll(/^# TYPE (\w+ \w+)$/gm)].map(([, metric]) => metric);
  assertEquals(new Set(documented), new Set(actual));
});

Deno.test({
  name: "promtool finds nothing wrong with the metrics (needs promtool)",
  ignore: !havePeer("promtool"),
  fn: async () => {
    const result = await runPeer("promtool", {
      args: ["check", "metrics"],
      stdin: await rendered(EVENTS),
    });
    assertEquals([result.code, result.stderr], [0, ""]);
  },
});
