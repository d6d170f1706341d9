/** What is said of a metric beside its values. */
export interface MetricOptions {
  readonly name: string;
  /** One line. */
  readonly help: string;
  /** Names of its labels, in the order in which values are given. */
  readonly labels?: readonly string[];
  /** The most different sets of label values; what comes later is counted as `other`. */
  readonly maxSeries?: number;
}

/** The value of one series. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Something that writes itself in the Prometheus text format, version 0.0.4. */
export interface Metric {
  readonly options: MetricOptions;
  readonly kind: "counter" | "gauge" | "histogram";
  /** Its values now; none of a histogram. */
  samples(): Iterable<Sample>;
  /** Its lines, with their line feeds; empty when it has no values. */
  render(): string;
}

const MAX_SERIES = 200;
const OTHER = "other";

/** The values of one metric by their labels, in bounded number. */
class SeriesTable<T> {
  readonly #labels: readonly string[];
  readonly #maxSeries: number;
  readonly #make: (labels: Sample["labels"]) => T;
  readonly #byKey = new Map<string, { readonly text: string; readonly value: T }>();

  constructor(
    { labels = [], maxSeries = MAX_SERIES }: MetricOptions,
    make: (labels: Sample["labels"]) => T,
  ) {
    this.#labels = labels;
    this.#maxSeries = maxSeries;
    this.#make = make;
  }

  get(values: readonly string[]): T {
    const key = values.length === 1 ? values[0] ?? "" : values.join("\0");
    return this.#byKey.get(key)?.value ?? this.#add(key, values);
  }

  values(): T[] {
    return Array.from(this.#byKey.values(), ({ value }) => value);
  }

  /** Forgets all series. */
  clear(): void {
    this.#byKey.clear();
  }

  /** The label text, without braces, and the value of each. */
  *entries(): Iterable<readonly [string, T]> {
    for (const { text, value } of this.#byKey.values()) yield [text, value];
  }

  #add(key: string, values: readonly string[]): T {
    if (this.#byKey.size >= this.#maxSeries && values.some((value) => value !== OTHER)) {
      return this.get(values.map(() => OTHER));
    }
    const text = this.#labels.map((name, at) => `${name}="${escapeLabel(values[at] ?? "")}"`);
    const labels = Object.fromEntries(this.#labels.map((name, at) => [name, values[at] ?? ""]));
    const series = { text: text.join(","), value: this.#make(labels) };
    this.#byKey.set(key, series);
    return series.value;
  }
}

/** A number that only grows. */
export class Counter implements Metric {
  readonly kind = "counter";
  readonly options: MetricOptions;
  readonly #series: SeriesTable<Mutable<Sample>>;

  constructor(options: MetricOptions) {
    this.options = options;
    this.#series = new SeriesTable(options, (labels) => ({ labels, value: 0 }));
  }

  /** Adds `amount` to the series with these label values. */
  add(labelValues: readonly string[], amount = 1): void {
    this.#series.get(labelValues).value += amount;
  }

  samples(): Iterable<Sample> {
    return this.#series.values();
  }

  render(): string {
    const lines = [...this.#series.entries()].map(([labels, { value }]) =>
      sample(this.options.name, labels, value)
    );
    return withHead(this, lines);
  }
}

/** A number that goes up and down. */
export class Gauge implements Metric {
  readonly kind = "gauge";
  readonly options: MetricOptions;
  readonly #series: SeriesTable<Mutable<Sample>>;

  constructor(options: MetricOptions) {
    this.options = options;
    this.#series = new SeriesTable(options, (labels) => ({ labels, value: 0 }));
  }

  set(labelValues: readonly string[], value: number): void {
    this.#series.get(labelValues).value = value;
  }

  add(labelValues: readonly string[], amount: number): void {
    this.#series.get(labelValues).value += amount;
  }

  /** Forgets all values: nothing is known. */
  clear(): void {
    this.#series.clear();
  }

  samples(): Iterable<Sample> {
    return this.#series.values();
  }

  render(): string {
    const lines = [...this.#series.entries()].map(([labels, { value }]) =>
      sample(this.options.name, labels, value)
    );
    return withHead(this, lines);
  }
}

/** How many observations fell below each of some bounds, with their number and sum. */
export class Histogram implements Metric {
  readonly kind = "histogram";
  readonly options: MetricOptions & { readonly bounds: readonly number[] };
  /** Is notified of each observation as well. */
  listener: ((observation: Sample) => void) | null = null;
  readonly #series: SeriesTable<
    { readonly labels: Sample["labels"]; readonly counts: number[]; sum: number }
  >;

  /** `bounds` are the upper ends of the buckets, ascending, without infinity. */
  constructor(options: MetricOptions & { readonly bounds: readonly number[] }) {
    this.options = options;
    this.#series = new SeriesTable(options, (labels) => ({
      labels,
      counts: new Array<number>(options.bounds.length + 1).fill(0),
      sum: 0,
    }));
  }

  observe(labelValues: readonly string[], value: number): void {
    const series = this.#series.get(labelValues);
    const { bounds } = this.options;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? Infinity)) bucket++;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += value;
    this.listener?.({ labels: series.labels, value });
  }

  samples(): Iterable<Sample> {
    return [];
  }

  render(): string {
    const lines: string[] = [];
    for (const [labels, series] of this.#series.entries()) lines.push(this.#lines(labels, series));
    return withHead(this, lines);
  }

  #lines(labels: string, { counts, sum }: { counts: readonly number[]; sum: number }): string {
    const { name, bounds } = this.options;
    let total = 0;
    const buckets = counts.map((count, at) => {
      total += count;
      const bound = `le="${bounds[at] ?? "+Inf"}"`;
      return sample(`${name}_bucket`, labels === "" ? bound : `${labels},${bound}`, total);
    });
    return buckets.join("") + sample(`${name}_sum`, labels, sum) +
      sample(`${name}_count`, labels, total);
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function withHead({ options: { name, help }, kind }: Metric, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${text}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

function sample(name: string, labels: string, value: number): string {
  return labels === "" ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
