import type { ActivityMinute } from "../../../ports.ts";
import { queuedFor, queueShape } from "../../../queue_by_domain.ts";
import { LiveMark } from "../../parts/live_mark.tsx";
import { count } from "../../parts/quantity.ts";
import { QueueShapePanel } from "../../parts/queue_shape.tsx";
import { roughly } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";
import { attentionItems } from "./attention.ts";
import { AttentionPanel, DestinationsPanel, QueuePanel, TransportsPanel } from "./panels.tsx";
import { type RangeName, RANGES, TrafficPanel } from "./traffic.tsx";

const LIVE_MS = 1_000;
const EVENTS_LOOKED_AT = 2_000;
const HOUR_MINUTES = 60;
const DOMAINS_SHOWN = 6;

/** The first page: is it working, and what needs somebody? */
export async function overviewPage(visit: Visit): Promise<Response> {
  const { ports, nowMs } = visit;
  const destinations = ports.destinations.list();
  const [stats, shape, queued, health] = await Promise.all([
    ports.queue.stats(),
    queueShape(ports.queue, { nowMs, limit: DOMAINS_SHOWN }),
    queuedFor(ports.queue, { destinations, nowMs }),
    ports.health.check(),
  ]);
  const transports = ports.transports.list();
  const events = ports.events.recent({ limit: EVENTS_LOOKED_AT });
  const range = rangeOf(visit.c.req.query("range"));
  const attention = attentionItems({ nowMs, health, destinations, transports, stats, events });
  const uptimeMs = nowMs - ports.info.read().startedAtMs;
  return await visit.show({
    title: "Overview",
    place: "/",
    liveMs: LIVE_MS,
    withCharts: true,
    children: (
      <>
        <header class="page-head">
          <h1>Overview</h1>
          <span class="soft" id="uptime" data-live-part="">up for {roughly(uptimeMs)}</span>
          <div class="page-actions">
            <LiveMark />
          </div>
        </header>
        <AttentionPanel items={attention} nowMs={nowMs} />
        <LastHour minutes={ports.activity.read({ minutes: HOUR_MINUTES })} />
        <div class="columns">
          <div class="wide stack">
            <QueueShapePanel shape={shape} link />
            <TrafficPanel
              minutes={ports.activity.read({ minutes: RANGES[range].minutes })}
              range={range}
            />
            <DestinationsPanel destinations={destinations} queued={queued} nowMs={nowMs} />
          </div>
          <div class="narrow stack">
            <QueuePanel stats={stats} shape={shape} nowMs={nowMs} />
            <TransportsPanel transports={transports} />
          </div>
        </div>
      </>
    ),
  });
}

function rangeOf(text: string | undefined): RangeName {
  return text !== undefined && Object.hasOwn(RANGES, text) ? text as RangeName : "1h";
}

/** The last hour in five figures. */
function LastHour({ minutes }: { minutes: readonly ActivityMinute[] }) {
  const sum = (key: Exclude<keyof ActivityMinute, "startMs">): number =>
    minutes.reduce((total, minute) => total + minute[key], 0);
  const delivered = sum("delivered");
  const ended = delivered + sum("bounced");
  const figures = [
    { name: "Accepted", value: count(sum("accepted")) },
    { name: "Delivered", value: count(delivered) },
    { name: "Deferred", value: count(sum("deferred")) },
    { name: "Bounced", value: count(sum("bounced")) },
    { name: "Refused", value: count(sum("refused")) },
    { name: "Delivered share", value: ended === 0 ? "–" : percent(delivered / ended) },
  ];
  return (
    <section
      class="panel figures"
      id="last-hour"
      data-live-part=""
      aria-labelledby="last-hour-title"
    >
      <h2 class="figures-title" id="last-hour-title">Last hour</h2>
      {figures.map(({ name, value }) => (
        <div class="figure-box">
          <div class="figure-name">{name}</div>
          <div class="figure">{value}</div>
        </div>
      ))}
    </section>
  );
}

function percent(share: number): string {
  const text = (share * 100).toFixed(1);
  return `${share < 1 && text === "100.0" ? "99.9" : text} %`;
}
