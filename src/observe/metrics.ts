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
  /** All of them, whether or not they have values. */
  readonly all: readonly Metric[];
  /** Asks for the figures that no event carries, so that all values are those of now. */
  update(): Promise<void>;
  /** All metrics in the Prometheus text format. */
  render(): Promise<string>;
}

/** Makes metrics that count from now. */
export function createMetrics(sources: MetricSources): Metrics {
  const events = eventMetrics();
  const queue = queueMetrics(sources);
  const process = processMetrics(sources);
  const all = [...events.metrics, ...queue.metrics, ...process.metrics];
  const update = async (): Promise<void> => {
    process.update();
    await queue.update();
  };
  return {
    ...{ sink: events.sink, all, update },
    async render() {
      await update();
      return all.map((metric) => metric.render()).join("");
    },
  };
}

/** Without the queue's figures the scrape still succeeds and says that the queue is not there. */
function queueMetrics(
  { queue, clock }: MetricSources,
): { readonly metrics: readonly Metric[]; readonly update: () => Promise<void> } {
  const up = new Gauge({ name: "posthouse_queue_up", help: "Whether the queue responds." });
  const recipients = new Gauge({
    name: "posthouse_queue_recipients",
    help: "Recipients in the queue and its history.",
    labels: ["state"],
  });
  const messages = new Gauge({
    name: "posthouse_queue_messages",
    help: "Messages with a recipient that is not final.",
  });
  const age = new Gauge({
    name: "posthouse_queue_oldest_age_seconds",
    help: "Age of the oldest message with a recipient that is not final.",
  });
  const show = ({ recipients: counts, liveMessages, oldestReceivedAtMs }: QueueFigures): void => {
    up.set([], 1);
    for (const [state, count] of Object.entries(counts)) recipients.set([state], count);
    messages.set([], liveMessages);
    age.set([], oldestReceivedAtMs === null ? 0 : (clock.now() - oldestReceivedAtMs) / 1000);
  };
  const showNothing = (): void => {
    up.set([], 0);
    for (const gauge of [recipients, messages, age]) gauge.clear();
  };
  return {
    metrics: [up, recipients, messages, age],
    update: () => queue().then(show, showNothing),
  };
}

function processMetrics(
  { version, clock, residentBytes }: MetricSources,
): { readonly metrics: readonly Metric[]; readonly update: () => void } {
  const build = new Gauge({
    name: "posthouse_build_info",
    help: "The running version; always 1.",
    labels: ["version"],
  });
  build.set([version], 1);
  const start = new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, since the Unix epoch.",
  });
  start.set([], clock.now() / 1000);
  const memory = new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process.",
  });
  return { metrics: [build, start, memory], update: () => memory.set([], residentBytes()) };
}
