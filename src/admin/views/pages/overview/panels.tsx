import type { DestinationStatus, StoreStats, TransportStatus } from "../../../ports.ts";
import { type QueueShape, RECIPIENT_STATES } from "../../../../queue/store.ts";
import { Empty, Panel, Share } from "../../parts/boxes.tsx";
import { Icon } from "../../parts/icon.tsx";
import { count, counted } from "../../parts/quantity.ts";
import { RecipientStateMark, toneOf, WayStateMark } from "../../parts/state.tsx";
import { Takes } from "../../parts/takes.tsx";
import { Time } from "../../parts/time.tsx";
import type { AttentionItem } from "./attention.ts";

const TONE_ICONS = { bad: "warning", warn: "clock", hold: "pause" } as const;

/** What needs somebody; when nothing does, it says so in one line. */
export function AttentionPanel(
  { items, nowMs }: { items: readonly AttentionItem[]; nowMs: number },
) {
  if (items.length === 0) {
    return (
      <section class="panel calm" id="attention" data-live-part="" aria-label="Needs attention">
        <span class="calm-mark">
          <Icon name="check" />
        </span>
        <p>
          <b>No problems.</b> <span class="soft">Nothing is down, held or late.</span>
        </p>
      </section>
    );
  }
  return (
    <section class="panel" id="attention" data-live-part="" aria-labelledby="attention-title">
      <header class="panel-head">
        <h2 id="attention-title">Needs attention</h2>
      </header>
      <ul class="attention">
        {items.map((item) => (
          <li>
            <a
              class="attention-item"
              href={item.address}
              data-row
              data-row-link
              data-tone={item.tone}
            >
              <span class="attention-mark">
                <Icon name={TONE_ICONS[item.tone]} />
              </span>
              <span class="attention-text">
                <span class="attention-title">{item.title}</span>
                <span class="attention-detail" title={item.detail}>{item.detail}</span>
              </span>
              <span class="attention-time">
                {item.atMs !== null && <Time atMs={item.atMs} nowMs={nowMs} />}
              </span>
              <Icon name="arrow" size={14} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

const VIEW_OF_STATE: Readonly<Record<string, string>> = { expired: "failed" };

/** The queue by state and by age. */
export function QueuePanel(
  { stats, shape, nowMs }: { stats: StoreStats; shape: QueueShape; nowMs: number },
) {
  const { recipients, liveMessages, oldestReceivedAtMs } = stats;
  const most = Math.max(1, ...shape.ages);
  const live = (["queued", "held"] as const)
    .map((state) => ({ value: recipients[state], tone: toneOf(state) }));
  return (
    <Panel id="queue-panel" title="Queue" note={<a href="/queue">Open</a>} live>
      <div class="panel-body stack">
        <div class="figure-line">
          <span class="figure">{count(liveMessages)}</span>
          <span class="soft">
            {liveMessages === 1 ? "message waits" : "messages wait"}
            {oldestReceivedAtMs !== null && (
              <>
                , the oldest received <Time atMs={oldestReceivedAtMs} nowMs={nowMs} />
              </>
            )}
          </span>
        </div>
        <Share
          parts={live}
          label={`${count(recipients.queued)} recipients queued, ${count(recipients.held)} held`}
        />
        <ul class="state-list">
          {RECIPIENT_STATES.map((state) => (
            <li>
              <a href={`/queue?view=${VIEW_OF_STATE[state] ?? state}`}>
                <RecipientStateMark state={state} />
                <span class="state-count">{count(recipients[state])}</span>
              </a>
            </li>
          ))}
        </ul>
        <div>
          <h3 class="sub-title">Recipients waiting, by age</h3>
          <ul class="ages">
            {AGE_NAMES.map((name, age) => <AgeBar {...{ name, age, shape, most, nowMs }} />)}
          </ul>
        </div>
      </div>
    </Panel>
  );
}

const AGE_NAMES = ["Under 5 min", "5 min to 1 h", "1 to 6 h", "6 to 24 h", "Over a day"];
const OLD_AGE = 2;

function AgeBar(
  { name, age, shape: { ages, sinceMs }, most, nowMs }: {
    name: string;
    age: number;
    shape: QueueShape;
    most: number;
    nowMs: number;
  },
) {
  const recipients = ages[age] ?? 0;
  const [newestMs, oldestMs] = [sinceMs[age - 1], sinceMs[age]];
  const bounds = [
    newestMs === undefined ? "" : `minAgeMs=${nowMs - newestMs}`,
    oldestMs === undefined ? "" : `maxAgeMs=${nowMs - oldestMs}`,
  ];
  return (
    <li>
      <a class="age" href={`/queue?${bounds.filter(Boolean).join("&")}`}>
        <span class="age-name">{name}</span>
        <svg class="age-bar" aria-hidden="true" data-tone={age >= OLD_AGE ? "warn" : "wait"}>
          <rect width={`${(recipients / most * 100).toFixed(2)}%`} height="100%" rx="2" />
        </svg>
        <span class="age-count">{count(recipients)}</span>
      </a>
    </li>
  );
}

const MAX_DESTINATIONS = 8;

/** How many recipients wait for a destination; null where it is no domain. */
type Queued = (destination: DestinationStatus) => number | null;

/** Destinations in trouble first, then those with the most waiting. */
export function DestinationsPanel(
  { destinations, queued, nowMs }: {
    destinations: readonly DestinationStatus[];
    queued: Queued;
    nowMs: number;
  },
) {
  const shown = destinations.toSorted(bySlowness).slice(0, MAX_DESTINATIONS);
  const note = destinations.length > shown.length
    ? <a href="/destinations">All {count(destinations.length)}</a>
    : <a href="/destinations">Open</a>;
  return (
    <Panel id="destinations-panel" title="Slow and failing destinations" note={note} live>
      {shown.length === 0
        ? (
          <Empty title="No destination is in use" tight>
            <p>Destinations in use or with problems are listed here.</p>
          </Empty>
        )
        : (
          <div class="scroll-x">
            <table class="table ways">
              <thead>
                <tr>
                  <th scope="col">Destination</th>
                  <th scope="col">State</th>
                  <th scope="col" class="number">Queued</th>
                  <th scope="col" class="number">Latency</th>
                  <th scope="col">Last error</th>
                </tr>
              </thead>
              <tbody>
                {shown.map((each) => (
                  <DestinationRow destination={each} queued={queued(each)} nowMs={nowMs} />
                ))}
              </tbody>
            </table>
          </div>
        )}
    </Panel>
  );
}

function DestinationRow(
  { destination, queued, nowMs }: {
    destination: DestinationStatus;
    queued: number | null;
    nowMs: number;
  },
) {
  const { name, transport, state, retryAtMs, lastError } = destination;
  return (
    <tr data-row>
      <td>
        <a
          class="strong wrap"
          href={`/destinations?text=${encodeURIComponent(name)}`}
          data-row-link
        >
          {name}
        </a>{" "}
        <span class="faint small nowrap">via {transport}</span>
      </td>
      <td class="nowrap">
        <WayStateMark state={state} />
        {retryAtMs !== null && state !== "up" && (
          <div class="faint small">
            <Time atMs={retryAtMs} nowMs={nowMs} />
          </div>
        )}
      </td>
      <td class="number" data-label="queued">{queued === null ? "–" : count(queued)}</td>
      <td class="number nowrap" data-label="latency">
        <Takes latency={destination.latency} />
      </td>
      <td class={lastError === null ? "full none" : "full"}>
        {lastError === null
          ? <span class="faint">–</span>
          : <span class="reply clamp" title={lastError.text}>{lastError.text}</span>}
      </td>
    </tr>
  );
}

const SLOWNESS = ["down", "probing", "paused", "up"];

/** What is in trouble first, then what takes longest. */
function bySlowness(a: DestinationStatus, b: DestinationStatus): number {
  return SLOWNESS.indexOf(a.state) - SLOWNESS.indexOf(b.state) ||
    (b.latency?.medianMs ?? 0) - (a.latency?.medianMs ?? 0) || b.waiting - a.waiting ||
    Number(b.lastError !== null) - Number(a.lastError !== null);
}

/** How the transports do. */
export function TransportsPanel({ transports }: { transports: readonly TransportStatus[] }) {
  return (
    <Panel id="transports-panel" title="Transports" note={<a href="/transports">Open</a>} live>
      <ul class="transport-list">
        {transports.map(({ name, kind, state, outcomes, waiting }) => (
          <li data-row>
            <div class="transport-line">
              <a class="strong" href={`/transports#${encodeURIComponent(name)}`} data-row-link>
                {name}
              </a>
              <span class="faint small">{kind}</span>
              <WayStateMark state={state} />
            </div>
            <Share
              label={`${counted(outcomes.delivered, "delivery", "deliveries")}, ` +
                `${counted(outcomes.deferred, "deferral")}, ${counted(outcomes.bounced, "bounce")}`}
              parts={[
                { value: outcomes.delivered, tone: "good" },
                { value: outcomes.deferred + outcomes.uncertain, tone: "warn" },
                { value: outcomes.bounced, tone: "bad" },
              ]}
            />
            <div class="faint small">
              {count(outcomes.delivered)} delivered · {count(outcomes.deferred)} deferred ·{" "}
              {count(outcomes.bounced)} bounced
            </div>
            {waiting > 0 && <div class="soft small">{counted(waiting, "attempt")} waiting</div>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
