import type { Clock } from "../base/clock.ts";
import { eventMetrics } from "./event_metrics.ts";
import type { EventSink } from "./events.ts";
import { Gauge, type Metric } from "./prometheus.ts";

/** The content type of what `render` gives. */
export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What the queue tells of itself; the store's own statistics fit. */
export interface QueueFigures {
  /** Recipients in each state. */
  readonly recipients: Readonly<Record<string, number>>;
  /** Messages with a recipient that is not final. */
  readonly liveMessages: number;
  /** When the oldest of those was received; null when there is none. */
  readonly oldestReceivedAtMs: number | null;
}

/** Where figures come from that no event carries; they are asked for at each scrape. */
export interface MetricSources {
  readonly version: string;
  readonly clock: Clock;
  readonly queue: () => Promise<QueueFigures>;
  /** Resident memory of the process, in octets. */
  readonly residentBytes: () => number;
}

/** The relay's metrics. `src/observe/README.md` lists them. */
export interface Metrics {
  readonly sink: EventSink;
  /** All metrics in the Prometheus text format. */
  render(): Promise<string>;
}

/** Makes metrics that count from now. */
export function createMetrics(sources: MetricSources): Metrics {
  const startedAtMs = sources.clock.now();
  const events = eventMetrics();
  return {
    sink: events.sink,
    async render() {
      const scraped = [...await queueMetrics(sources), ...processMetrics(sources, startedAtMs)];
      return [...events.metrics, ...scraped].map((metric) => metric.render()).join("");
    },
  };
}

/** Without the queue's figures the scrape still succeeds and says that the queue is not there. */
async function queueMetrics({ queue, clock }: MetricSources): Promise<Metric[]> {
  const up = new Gauge({ name: "posthouse_queue_up", help: "Whether the queue answers." });
  let figures: QueueFigures;
  try {
    figures = await queue();
  } catch {
    up.set([], 0);
    return [up];
  }
  up.set([], 1);
  const recipients = new Gauge({
    name: "posthouse_queue_recipients",
    help: "Recipients in the queue and its history.",
    labels: ["state"],
  });
  for (const [state, count] of Object.entries(figures.recipients)) recipients.set([state], count);
  const messages = new Gauge({
    name: "posthouse_queue_messages",
    help: "Messages with a recipient that is not final.",
  });
  messages.set([], figures.liveMessages);
  const age = new Gauge({
    name: "posthouse_queue_oldest_age_seconds",
    help: "Age of the oldest message with a recipient that is not final.",
  });
  const { oldestReceivedAtMs } = figures;
  age.set([], oldestReceivedAtMs === null ? 0 : (clock.now() - oldestReceivedAtMs) / 1000);
  return [up, recipients, messages, age];
}

function processMetrics(
  { version, residentBytes }: MetricSources,
  startedAtMs: number,
): Metric[] {
  const build = new Gauge({
    name: "posthouse_build_info",
    help: "The version that runs; always 1.",
    labels: ["version"],
  });
  build.set([version], 1);
  const start = new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, since the Unix epoch.",
  });
  start.set([], startedAtMs / 1000);
  const memory = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
  });
  memory.set([], residentBytes());
  return [build, start, memory];
}
