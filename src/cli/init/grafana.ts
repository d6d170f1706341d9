/** One chart: what it shows and the queries for it. */
interface Chart {
  readonly title: string;
  /** As Grafana names units. */
  readonly unit: "short" | "mps" | "s" | "bytes" | "reqps";
  /** PromQL with the legend of its series. */
  readonly queries: readonly (readonly [expr: string, legend: string])[];
}

const RATE = "[$__rate_interval]";

/** What operators ask for first comes first. */
const CHARTS: readonly Chart[] = [
  {
    title: "Recipients in the queue",
    unit: "short",
    queries: [[`posthouse_queue_recipients{state=~"queued|held"}`, "{{state}}"]],
  },
  {
    title: "Age of the oldest message",
    unit: "s",
    queries: [["posthouse_queue_oldest_age_seconds", "oldest"]],
  },
  {
    title: "Messages accepted and refused",
    unit: "mps",
    queries: [
      [`sum by (listener) (rate(posthouse_messages_accepted_total${RATE}))`, "{{listener}}"],
      [`sum by (code) (rate(posthouse_messages_refused_total${RATE}))`, "refused {{code}}"],
    ],
  },
  {
    title: "Outcomes of deliveries",
    unit: "mps",
    queries: [[`sum by (outcome) (rate(posthouse_deliveries_total${RATE}))`, "{{outcome}}"]],
  },
  {
    title: "From acceptance to delivery",
    unit: "s",
    queries: [0.5, 0.95, 0.99].map((share) =>
      [
        `histogram_quantile(${share}, ` +
        `sum by (le) (rate(posthouse_delivery_delay_seconds_bucket${RATE})))`,
        `${share * 100} %`,
      ] as const
    ),
  },
  {
    title: "Destinations down",
    unit: "short",
    queries: [["sum by (transport) (posthouse_destinations_down)", "{{transport}}"]],
  },
  {
    title: "Sessions open",
    unit: "short",
    queries: [["sum by (listener) (posthouse_sessions_open)", "{{listener}}"]],
  },
  {
    title: "Commands refused",
    unit: "reqps",
    queries: [[
      `sum by (verb, code) (rate(posthouse_commands_refused_total${RATE}))`,
      "{{verb}} {{code}}",
    ]],
  },
  {
    title: "Problems",
    unit: "short",
    queries: [[
      `sum by (component, level) (increase(posthouse_troubles_total${RATE}))`,
      "{{component}} {{level}}",
    ]],
  },
  {
    title: "Resident memory",
    unit: "bytes",
    queries: [[`process_resident_memory_bytes and on (instance) posthouse_build_info`, "memory"]],
  },
];

const CHART_COLUMNS = 12;
const CHART_ROWS = 8;

/** A Grafana dashboard of the relay's metrics, to be imported as JSON. */
export function grafanaDashboard(): Readonly<Record<string, unknown>> {
  return {
    title: "Posthouse",
    uid: "posthouse",
    schemaVersion: 39,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [{ name: "source", label: "Data source", type: "datasource", query: "prometheus" }],
    },
    panels: CHARTS.map(({ title, unit, queries }, index) => ({
      id: index + 1,
      type: "timeseries",
      title,
      datasource: { type: "prometheus", uid: "${source}" },
      gridPos: {
        w: CHART_COLUMNS,
        h: CHART_ROWS,
        x: index % 2 * CHART_COLUMNS,
        y: Math.floor(index / 2) * CHART_ROWS,
      },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: queries.map(([expr, legendFormat], at) => ({
        refId: String.fromCharCode(65 + at),
        expr,
        legendFormat,
      })),
    })),
  };
}
