import { formatPace } from "../../../../observe/quantities.ts";
import { queuedFor, queueShape } from "../../../queue_by_domain.ts";
import type { DestinationStatus, OperatorPause, WayState } from "../../../ports.ts";
import { Empty, Panel } from "../../parts/boxes.tsx";
import { ActionButton } from "../../parts/form.tsx";
import { LiveMark } from "../../parts/live_mark.tsx";
import { count, counted } from "../../parts/quantity.ts";
import { WayStateMark } from "../../parts/state.tsx";
import { QueueShapePanel } from "../../parts/queue_shape.tsx";
import { Takes } from "../../parts/takes.tsx";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";
import { WayDone } from "./done.tsx";
import { readPause } from "./pause.tsx";

const LIVE_MS = 2_000;
const SHOWN = 200;
const DOMAINS_SHOWN = 20;

type Queued = (destination: DestinationStatus) => number | null;

const VIEWS = {
  all: { name: "All", states: null },
  trouble: { name: "With problems", states: ["down", "probing"] },
  paused: { name: "Paused", states: ["paused"] },
  up: { name: "Up", states: ["up"] },
} as const satisfies Record<string, { name: string; states: readonly WayState[] | null }>;
type ViewName = keyof typeof VIEWS;

const BADNESS: readonly WayState[] = ["down", "probing", "paused", "up"];

/** Where mail goes, as the scheduler sees it now. */
export async function destinationsPage(visit: Visit): Promise<Response> {
  const { c, ports, nowMs } = visit;
  const text = (c.req.query("text") ?? "").trim().toLowerCase();
  const view = viewOf(c.req.query("view"));
  const all = ports.destinations.list();
  const [shape, queued] = await Promise.all([
    queueShape(ports.queue, { nowMs, limit: DOMAINS_SHOWN }),
    queuedFor(ports.queue, { destinations: all, nowMs }),
  ]);
  const found = all.filter((one) => fits(one, { text, view }))
    .sort((a, b) =>
      BADNESS.indexOf(a.state) - BADNESS.indexOf(b.state) ||
      (queued(b) ?? b.waiting) - (queued(a) ?? a.waiting) ||
      (a.name < b.name ? -1 : 1)
    );
  const listed = new Set(all.map(({ name }) => name));
  const idle = [...ports.destinations.paused()].filter(([domain]) => !listed.has(domain));
  return await visit.show({
    title: "Destinations",
    place: "/destinations",
    liveMs: LIVE_MS,
    children: (
      <>
        <header class="page-head">
          <h1>Destinations</h1>
          <span class="soft" id="destinations-total" data-live-part="">
            {counted(found.length, "destination")} in use or with problems
          </span>
          <div class="page-actions">
            <LiveMark />
            {visit.may("operator") && (
              <a class="button" href="/destinations/pause">Pause a domain…</a>
            )}
          </div>
        </header>
        <WayDone did={c.req.query("did")} n={c.req.query("n")} />
        <Finder view={view} text={text} />
        <section class="panel" id="destinations" aria-label="Destinations" data-live-part="">
          {found.length === 0
            ? <NoDestinations isNarrowed={text !== "" || view !== "all"} />
            : <Table destinations={found.slice(0, SHOWN)} queued={queued} visit={visit} />}
          {found.length > SHOWN && (
            <p class="panel-foot">
              {count(found.length - SHOWN)} more are not shown; search by name.
            </p>
          )}
        </section>
        {view === "all" && text === "" && <QueueShapePanel shape={shape} link={false} />}
        {idle.length > 0 && <IdlePauses pauses={idle} visit={visit} nowMs={nowMs} />}
      </>
    ),
  });
}

/** Pauses a domain. */
export async function pauseDestination(visit: Visit): Promise<Response> {
  const read = await readPause(visit, "destinations");
  if (read.kind === "wrong") return await read.page;
  await visit.ports.destinations.pause(read.name, read.request);
  return visit.goTo("/destinations?did=paused");
}

/** Ends a pause. */
export async function resumeDestination(visit: Visit): Promise<Response> {
  const { name = "" } = await visit.form();
  const isDone = await visit.ports.destinations.resume(name, { by: visit.actor });
  return visit.goTo(`/destinations?did=${isDone ? "resumed" : "unpaused"}`);
}

/** Tries all mail for a domain now. */
export async function flushDestination(visit: Visit): Promise<Response> {
  const { name = "" } = await visit.form();
  const messages = await visit.ports.destinations.flush(name, { by: visit.actor });
  return visit.goTo(`/destinations?did=flushed&n=${messages}`);
}

function viewOf(text: string | undefined): ViewName {
  return text !== undefined && Object.hasOwn(VIEWS, text) ? text as ViewName : "all";
}

function fits(
  { name, state }: DestinationStatus,
  { text, view }: { text: string; view: ViewName },
): boolean {
  const states: readonly WayState[] | null = VIEWS[view].states;
  return (states === null || states.includes(state)) && name.toLowerCase().includes(text);
}

function Finder({ view, text }: { view: ViewName; text: string }) {
  return (
    <div class="finder">
      <nav class="tabs" aria-label="States">
        {Object.entries(VIEWS).map(([key, { name }]) => {
          const query = new URLSearchParams({
            ...(key === "all" ? {} : { view: key }),
            ...(text === "" ? {} : { text }),
          }).toString();
          return (
            <a
              class="tab"
              href={query === "" ? "/destinations" : `/destinations?${query}`}
              aria-current={key === view ? "page" : undefined}
            >
              {name}
            </a>
          );
        })}
      </nav>
      <form class="finder-form" method="get" action="/destinations" role="search">
        {view !== "all" && <input type="hidden" name="view" value={view} />}
        <input
          class="input"
          type="search"
          name="text"
          value={text}
          placeholder="Find a destination"
          aria-label="Part of the name"
          data-search
        />
        <button type="submit" class="button">Find</button>
      </form>
    </div>
  );
}

function NoDestinations({ isNarrowed }: { isNarrowed: boolean }) {
  if (isNarrowed) {
    return (
      <Empty icon="search" title="No destination matches">
        <p>
          Only destinations in use or with problems are listed. Mail for others is in the queue.
        </p>
        <div class="button-row">
          <a class="button" href="/destinations">Show all</a>
        </div>
      </Empty>
    );
  }
  return (
    <Empty icon="destinations" title="No destination is in use">
      <p>Destinations in use or with problems are listed here.</p>
    </Empty>
  );
}

function Table(
  { destinations, queued, visit }: {
    destinations: readonly DestinationStatus[];
    queued: Queued;
    visit: Visit;
  },
) {
  return (
    <div class="scroll-x">
      <table class="table ways">
        <thead>
          <tr>
            <th scope="col">Destination</th>
            <th scope="col">State</th>
            <th scope="col" class="number">Queued</th>
            <th scope="col" class="number">Concurrency</th>
            <th scope="col" class="number">Latency</th>
            <th scope="col">Last error</th>
            <th scope="col" class="number">Last success</th>
            {visit.may("operator") && (
              <th scope="col">
                <span class="sr-only">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {destinations.map((one) => <Row destination={one} queued={queued(one)} visit={visit} />)}
        </tbody>
      </table>
    </div>
  );
}

function Row(
  { destination, queued, visit }: {
    destination: DestinationStatus;
    queued: number | null;
    visit: Visit;
  },
) {
  const { name, transport, isDomain, waiting, running, concurrency, maxConcurrency } = destination;
  const { lastError, lastSuccessAtMs } = destination;
  const { nowMs } = visit;
  const address = isDomain ? `/queue?domain=${encodeURIComponent(name)}` : "/queue";
  return (
    <tr data-row id={`way-${transport}-${name}`}>
      <td>
        <a class="strong wrap" href={address} data-row-link title="Its mail in the queue">{name}</a>
        {" "}
        <span class="faint small nowrap">via {transport}</span>
      </td>
      <td>
        <WayStateMark state={destination.state} />
        <StateNote destination={destination} nowMs={nowMs} />
        <ShapingNote shaping={destination.shaping} nowMs={nowMs} />
      </td>
      <td
        class="number"
        data-label="queued"
        title={`${counted(waiting, "attempt")} in line for a connection now`}
      >
        {queued === null ? "–" : count(queued)}
      </td>
      <td class="number nowrap" data-label="concurrency" title={`Grows up to ${maxConcurrency}`}>
        {running}
        <span class="faint">/{concurrency}</span>
      </td>
      <td class="number nowrap" data-label="latency">
        <Takes latency={destination.latency} />
      </td>
      <td class={lastError === null ? "full none" : "full"}>
        {lastError === null ? <span class="faint">–</span> : (
          <>
            <span class="reply clamp" title={lastError.text}>{lastError.text}</span>{" "}
            <span class="faint small">
              <Time atMs={lastError.atMs} nowMs={nowMs} />
            </span>
          </>
        )}
      </td>
      <td class="number nowrap soft small" data-label="last success">
        {lastSuccessAtMs === null ? "–" : <Time atMs={lastSuccessAtMs} nowMs={nowMs} />}
      </td>
      {visit.may("operator") && (
        <td class="row-actions">{isDomain && <RowActions destination={destination} />}</td>
      )}
    </tr>
  );
}

function StateNote({ destination, nowMs }: { destination: DestinationStatus; nowMs: number }) {
  const { pause, state, retryAtMs } = destination;
  if (pause !== null) {
    return (
      <div class="faint small wrap">
        {pause.reason}, {pause.by}
        {pause.untilMs !== null && (
          <>
            , until <Time atMs={pause.untilMs} nowMs={nowMs} />
          </>
        )}
      </div>
    );
  }
  if (state === "up" || retryAtMs === null) return null;
  return (
    <div class="faint small">
      tried <Time atMs={retryAtMs} nowMs={nowMs} />
    </div>
  );
}

/** What it is held to by limits, and the pace that it taught. */
function ShapingNote(
  { shaping: { limits, learned, nextAtMs }, nowMs }: {
    shaping: DestinationStatus["shaping"];
    nowMs: number;
  },
) {
  return (
    <>
      {learned !== null && (
        <div class="small wrap" title={learned.reason}>
          Throttled to {formatPace(learned.perMinute)}{" "}
          <span class="faint">
            <Time atMs={learned.sinceMs} nowMs={nowMs} />
          </span>
        </div>
      )}
      {nextAtMs !== null && (
        <div class="faint small">
          next message <Time atMs={nextAtMs} nowMs={nowMs} />
        </div>
      )}
      {limits.map(({ rule, limit }) => (
        <div class="faint small wrap" title={`Rule ${rule}`}>{limit}</div>
      ))}
    </>
  );
}

function RowActions({ destination: { name, pause } }: { destination: DestinationStatus }) {
  return (
    <div class="button-row">
      <ActionButton action="/destinations/flush" values={{ name }} label="Retry now" />
      {pause === null
        ? (
          <a class="button small" href={`/destinations/pause?name=${encodeURIComponent(name)}`}>
            Pause…
          </a>
        )
        : <ActionButton action="/destinations/resume" values={{ name }} label="Resume" />}
    </div>
  );
}

/** Domains that are paused although nothing waits for them. */
function IdlePauses(
  { pauses, visit, nowMs }: {
    pauses: readonly (readonly [string, OperatorPause])[];
    visit: Visit;
    nowMs: number;
  },
) {
  return (
    <Panel id="idle-pauses" title="Paused, nothing waiting">
      <table class="table ways">
        <thead>
          <tr>
            <th scope="col">Domain</th>
            <th scope="col">Reason</th>
            <th scope="col">Since</th>
            <th scope="col">Until</th>
            <th scope="col">
              <span class="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {pauses.map(([domain, { reason, by, sinceMs, untilMs }]) => (
            <tr>
              <td class="strong wrap">{domain}</td>
              <td class="wrap">
                {reason} <span class="faint small">{by}</span>
              </td>
              <td data-label="since">
                <Time atMs={sinceMs} nowMs={nowMs} />
              </td>
              <td data-label="until">
                {untilMs === null
                  ? "resumed by an operator"
                  : <Time atMs={untilMs} nowMs={nowMs} />}
              </td>
              <td class="row-actions">
                {visit.may("operator") && (
                  <ActionButton
                    action="/destinations/resume"
                    values={{ name: domain }}
                    label="Resume"
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
