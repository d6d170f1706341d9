import type { ActivityMinute } from "../../../ports.ts";
import { count } from "../../parts/quantity.ts";

/** Stretches of time that the chart can show. */
export const RANGES = {
  "1h": { name: "1 h", minutes: 60, stepMinutes: 1 },
  "6h": { name: "6 h", minutes: 360, stepMinutes: 5 },
  "24h": { name: "24 h", minutes: 1440, stepMinutes: 15 },
} as const;
export type RangeName = keyof typeof RANGES;

const LINES = [
  { key: "accepted", label: "In", colour: "--chart-in", fill: true },
  { key: "delivered", label: "Out", colour: "--chart-out", fill: false },
  { key: "deferred", label: "Deferred", colour: "--chart-late", fill: false },
  { key: "bounced", label: "Bounced", colour: "--chart-lost", fill: false },
] as const;
type LineKey = typeof LINES[number]["key"];

/** Messages in and out by the minute. */
export function TrafficPanel(
  { minutes, range }: { minutes: readonly ActivityMinute[]; range: RangeName },
) {
  const { stepMinutes } = RANGES[range];
  const points = perMinute(minutes, stepMinutes);
  const columns = [
    points.map(({ startMs }) => startMs / 1000),
    ...LINES.map(({ key }) => points.map((point) => point[key])),
  ];
  const chart = JSON.stringify({ labels: LINES, columns });
  return (
    <section class="panel" id="traffic" aria-labelledby="traffic-title" data-live-part="">
      <figure>
        <header class="panel-head">
          <h2 id="traffic-title">Messages per minute</h2>
          <nav class="tabs" aria-label="Time range">
            {Object.entries(RANGES).map(([key, { name }]) => (
              <a
                class="tab"
                href={key === "1h" ? "/" : `/?range=${key}`}
                aria-current={key === range ? "page" : undefined}
              >
                {name}
              </a>
            ))}
          </nav>
        </header>
        <figcaption class="legend">
          {LINES.map(({ key, label }) => {
            const total = minutes.reduce((sum, minute) => sum + minute[key], 0);
            return (
              <span class="legend-item" data-line={key}>
                {label}
                <b data-chart-value={count(total)}>{count(total)}</b>
              </span>
            );
          })}
          <span class="faint legend-time" data-chart-time data-keep=""></span>
        </figcaption>
        <div class="chart" data-chart={chart} data-keep="attributes" aria-hidden="true"></div>
      </figure>
    </section>
  );
}

type Point = Readonly<Record<LineKey | "startMs", number>>;

/** Averages of several minutes; the incomplete first step is left out. */
function perMinute(minutes: readonly ActivityMinute[], step: number): Point[] {
  const points: Point[] = [];
  const first = minutes.length % step;
  for (let at = first; at < minutes.length; at += step) {
    const part = minutes.slice(at, at + step);
    const mean = (key: LineKey): number =>
      Math.round(part.reduce((sum, minute) => sum + minute[key], 0) / part.length * 10) / 10;
    points.push({
      startMs: part[0]?.startMs ?? 0,
      accepted: mean("accepted"),
      delivered: mean("delivered"),
      deferred: mean("deferred"),
      bounced: mean("bounced"),
    });
  }
  return points;
}
