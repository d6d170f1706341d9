import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RelayEvent } from "../../src/observe/events.ts";
import { Counter, Gauge, Histogram } from "../../src/observe/prometheus.ts";
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

Deno.test("destinations that are down: each transport has its own, ten thousand in all", async () => {
  const event = (type: "destination_down" | "destination_up", at: number, transport = "mx") =>
    ({ type, transport, destination: `d${at}`, reason: "x" }) as const;
  const downs = Array.from({ length: 10_001 }, (_, at) => event("destination_down", at));
  const line = (count: number) => `posthouse_destinations_down{transport="mx"} ${count}\n`;
  assertStringIncludes(await rendered(downs), line(10_000));
  const others = [event("destination_down", 1), event("destination_down", 1, "smarthost")];
  const text = await rendered([...others, event("destination_up", 1), event("destination_up", 2)]);
  assertStringIncludes(text, line(0));
  assertStringIncludes(text, 'posthouse_destinations_down{transport="smarthost"} 1\n');
});

Deno.test("delays fall into buckets from a fast next hop to four days, the bound included", async () => {
  const [delivered] = EVENTS.filter(({ type }) => type === "delivered");
  assert(delivered?.type === "delivered");
  const text = await rendered([1000, 1001].map((delayMs) => ({ ...delivered, delayMs })));
  const buckets = [...text.matchAll(/_delay_seconds_bucket{transport="mx",le="(\S+)"} (\d)/g)];
  assertEquals(buckets.map(([, le, count]) => `${le} ${count}`), [
    ...["0.01 0", "0.05 0", "0.1 0", "0.5 0", "1 1", "5 2", "15 2", "60 2", "300 2", "900 2"],
    ...["3600 2", "14400 2", "86400 2", "345600 2", "+Inf 2"],
  ]);
});

Deno.test("an idle queue has no age, and figures are asked for at each scrape", async () => {
  let liveMessages = 0;
  const asked = metrics(() =>
    Promise.resolve({ recipients: {}, liveMessages: liveMessages++, oldestReceivedAtMs: null })
  );
  for (const count of [0, 1]) {
    const text = await asked.render();
    assertStringIncludes(text, `\nposthouse_queue_messages ${count}\n`);
    assertStringIncludes(text, "\nposthouse_queue_oldest_age_seconds 0\n");
  }
});

Deno.test("a metric writes itself: help in one line, labels escaped, a histogram without labels", () => {
  const counter = new Counter({ name: "c", help: "a\\b\nc", labels: ["x", "y"] });
  assertEquals(counter.render(), "");
  counter.add(["1", '"\\\n']);
  counter.add(["1", '"\\\n'], 2);
  assertEquals(
    counter.render(),
    '# HELP c a\\\\b\\nc\n# TYPE c counter\nc{x="1",y="\\"\\\\\\n"} 3\n',
  );
  assertEquals([...counter.samples()], [{ labels: { x: "1", y: '"\\\n' }, value: 3 }]);
  const histogram = new Histogram({ name: "h", help: "x", bounds: [1] });
  const heard: number[] = [];
  histogram.listener = ({ value }) => heard.push(value);
  for (const value of [1, 2]) histogram.observe([], value);
  assertEquals(
    histogram.render(),
    '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n',
  );
  assertEquals(heard, [1, 2]);
  assertEquals([...histogram.samples()], []);
  const gauge = new Gauge({ name: "g", help: "x", labels: ["l"], maxSeries: 1 });
  gauge.set(["a"], 5);
  gauge.add(["b"], 2);
  gauge.add(["c"], 2);
  gauge.add(["a"], -1);
  assertEquals([...gauge.samples()].map(({ value }) => value), [4, 4]);
  gauge.clear();
  assertEquals(gauge.render(), "");
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
