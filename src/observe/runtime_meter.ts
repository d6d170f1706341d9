import { Histogram, type Metric, type Sample } from "./prometheus.ts";
import type { Metrics } from "./metrics.ts";

/** What is used of the runtime's meter, which has no types of its own. */
interface RuntimeMeter {
  createObservableCounter(name: string, options: InstrumentOptions): Observable;
  createObservableGauge(name: string, options: InstrumentOptions): Observable;
  createHistogram(
    name: string,
    options: InstrumentOptions & { advice: { explicitBucketBoundaries: readonly number[] } },
  ): { record(value: number, attributes: Sample["labels"]): void };
  addBatchObservableCallback(callback: BatchCallback, observables: readonly Observable[]): void;
}

interface InstrumentOptions {
  readonly description: string;
  readonly unit: string;
}

/** An instrument whose values are asked for; only the meter knows what it is. */
interface Observable {
  addCallback(callback: unknown): void;
}

type BatchCallback = (result: {
  observe(observable: Observable, value: number, attributes: Sample["labels"]): void;
}) => Promise<void>;

/**
 * Has the runtime export metrics by OTLP at its interval. Only for a process that was started with
 * `OTEL_DENO=true`; the runtime's meter fails elsewhere.
 */
export function exportToRuntime(metrics: Pick<Metrics, "all" | "update">): void {
  const meter: RuntimeMeter = Deno.telemetry.meterProvider.getMeter("posthouse");
  const observed: [Observable, Metric][] = [];
  for (const metric of metrics.all) {
    if (metric instanceof Histogram) exportHistogram(meter, metric);
    else observed.push([observableOf(meter, metric), metric]);
  }
  meter.addBatchObservableCallback(async (result) => {
    await metrics.update();
    for (const [observable, metric] of observed) {
      for (const { labels, value } of metric.samples()) result.observe(observable, value, labels);
    }
  }, observed.map(([observable]) => observable));
}

function observableOf(meter: RuntimeMeter, metric: Metric): Observable {
  const { name, ...options } = instrumentOf(metric);
  return metric.kind === "counter"
    ? meter.createObservableCounter(name, options)
    : meter.createObservableGauge(name, options);
}

function exportHistogram(meter: RuntimeMeter, metric: Histogram): void {
  const { name, ...options } = instrumentOf(metric);
  const advice = { explicitBucketBoundaries: metric.options.bounds };
  const instrument = meter.createHistogram(name, { ...options, advice });
  metric.listener = ({ value, labels }) => instrument.record(value, labels);
}

/**
 * The name as OpenTelemetry writes it: dots between namespaces, without the unit and without
 * `_total`, which an exporter to Prometheus adds again.
 */
function instrumentOf({ options: { name, help } }: Metric): InstrumentOptions & { name: string } {
  const counted = name.replace(/_total$/, "");
  const unit = /_(seconds|bytes)$/.exec(counted)?.[1];
  return {
    name: counted.replace(/_(?:seconds|bytes)$/, "").replace("_", "."),
    description: help,
    unit: unit === "seconds" ? "s" : unit === "bytes" ? "By" : "",
  };
}
