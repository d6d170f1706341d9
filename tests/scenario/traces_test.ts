import { assert, assertEquals } from "@std/assert";
import { traceOfMessage } from "../../src/observe/traces.ts";
import { startPeer, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { PERMISSIONS, relayConfig } from "../support/relay_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const PROJECT = new URL("../../deno.json", import.meta.url).pathname;
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";

/** What is looked at of a span in OTLP's JSON form. */
interface Span {
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
}

/** What is looked at of a metric in OTLP's JSON form. */
interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly DataPoint[] };
  readonly gauge?: { readonly dataPoints: readonly DataPoint[] };
  readonly histogram?: { readonly dataPoints: readonly DataPoint[] };
}

interface DataPoint {
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
  readonly asDouble?: number;
  readonly asInt?: string | number;
  readonly count?: string | number;
}

/** An OTLP collector on loopback that keeps the relay's own spans, and its metrics by name. */
function startCollector() {
  const spans: Span[] = [];
  const metrics = new Map<string, OtlpMetric>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const body = await request.json();
    for (const { scopeSpans = [] } of body.resourceSpans ?? []) {
      for (const scope of scopeSpans) {
        if (scope.scope?.name === "posthouse") spans.push(...scope.spans);
      }
    }
    for (const { scopeMetrics = [] } of body.resourceMetrics ?? []) {
      for (const scope of scopeMetrics) {
        if (scope.scope?.name !== "posthouse") continue;
        for (const metric of scope.metrics) metrics.set(metric.name, metric);
      }
    }
    return Response.json({});
  });
  return {
    ...{ spans, metrics },
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("each message is one trace to each attempt, and metrics leave by OTLP", async () => {
  await using folder = await tempFolder();
  await using collector = startCollector();
  await using sink = startRecordingSink({
    judgeRecipient: (address, seen) =>
      address.startsWith("slow") && seen === 0 ? "451 4.7.1 Not now" : null,
  });
  const settings = `[queue]\nretry = ["1s"]\nretry_jitter = 0`;
  const config = `${folder.path}/posthouse.toml`;
  await Deno.writeTextFile(
    config,
    relayConfig({ folder: folder.path, nextHopPort: sink.port, settings }),
  );
  await using relay = startPeer(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", `--config=${PROJECT}`],
      ...[...PERMISSIONS, MAIN, "serve", "--config", config],
    ],
    cwd: folder.path,
    env: {
      OTEL_DENO: "true",
      OTEL_METRIC_EXPORT_INTERVAL: "500",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
  });
  const port = Number((await relay.waitForOutput(/"address":"127\.0\.0\.1:(\d+)"/))[1]);
  using client = await PlainClient.greet(port);
  const text = new TextDecoder().decode(sampleMessage({ lines: ["hello"] }));
  const marked = new TextEncoder().encode(`traceparent: 00-${TRACE_ID}-${PARENT_ID}-01\r\n${text}`);
  await client.send({ from: "a@source.test", to: ["b@sink.test"], data: marked });
  const plain = new TextEncoder().encode(text);
  await client.send({ from: "a@source.test", to: ["slow@sink.test"], data: plain });
  await sink.waitForMessages(2, { timeoutMs: 20_000 });
  await relay.waitForOutput(/(?:"type":"delivered"[^]*){2}/);
  const ids = [...relay.output().stdout.matchAll(/"type":"accepted","messageId":"(\w+)"/g)];
  relay.kill("SIGTERM");
  assertEquals((await relay.ended).code, 0);

  const { spans } = collector;
  const given = spans.filter(({ traceId }) => traceId === TRACE_ID).toSorted(byStart);
  assertEquals(given.map(({ name }) => name), STEPS);
  assert(given.every(({ parentSpanId }) => parentSpanId === PARENT_ID));
  const second = traceOfMessage(ids[1]?.[1] ?? "").traceId;
  const derived = spans.filter(({ traceId }) => traceId === second).toSorted(byStart);
  assertEquals(derived.map(({ name }) => name), [...STEPS, ...STEPS.slice(1)]);
  const attempts = derived.filter(({ name }) => name === "posthouse deliver");
  assertEquals(attempts.map(({ status }) => status?.message ?? ""), ["451 4.7.1 Not now", ""]);
  const wait = derived[3];
  assert(Number(wait?.endTimeUnixNano) - Number(wait?.startTimeUnixNano) > 0.5e9);
  assertEquals(spans.length, given.length + derived.length);

  const { metrics } = collector;
  assertEquals(pointsOf(metrics.get("posthouse.messages_accepted")), [["smtp", 2]]);
  assertEquals(metrics.get("posthouse.messages_accepted")?.sum?.isMonotonic, true);
  assertEquals(pointsOf(metrics.get("posthouse.queue_up")), [["", 1]]);
  assertEquals(metrics.get("posthouse.delivery_delay")?.unit, "s");
  assertEquals(
    Number(metrics.get("posthouse.delivery_delay")?.histogram?.dataPoints[0]?.count),
    2,
  );
});

/** The first label and the value of each series. */
function pointsOf(metric: OtlpMetric | undefined): (readonly [string, number])[] {
  const { dataPoints = [] } = metric?.sum ?? metric?.gauge ?? {};
  return dataPoints.map(({ attributes, asDouble, asInt }) => {
    const { stringValue = "" } = (attributes[0]?.value ?? {}) as { stringValue?: string };
    return [stringValue, Number(asDouble ?? asInt)];
  });
}

const STEPS = ["posthouse accept", "posthouse queue", "posthouse deliver"];

function byStart(a: Span, b: Span): number {
  return Number(a.startTimeUnixNano) - Number(b.startTimeUnixNano) ||
    STEPS.indexOf(a.name) - STEPS.indexOf(b.name);
}
