import type { TransportStatus } from "../../../ports.ts";
import { Share } from "../../parts/boxes.tsx";
import { ActionButton } from "../../parts/form.tsx";
import { LiveMark } from "../../parts/live_mark.tsx";
import { count, counted } from "../../parts/quantity.ts";
import { WayStateMark } from "../../parts/state.tsx";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";
import { Fact } from "../../parts/fact.tsx";
import { WayDone } from "./done.tsx";
import { readPause } from "./pause.tsx";

const LIVE_MS = 2_000;

/** The transports and how they do. */
export async function transportsPage(visit: Visit): Promise<Response> {
  const { c, ports } = visit;
  const transports = ports.transports.list();
  return await visit.show({
    title: "Transports",
    place: "/transports",
    liveMs: LIVE_MS,
    children: (
      <>
        <header class="page-head">
          <h1>Transports</h1>
          <span class="soft">{counted(transports.length, "way")} out</span>
          <div class="page-actions">
            <LiveMark />
            {ports.submission !== undefined && visit.may("operator") && (
              <a class="button" href="/compose">Compose a message</a>
            )}
          </div>
        </header>
        <WayDone did={c.req.query("did")} n={undefined} />
        <div class="cards" id="transports" data-live-part="">
          {transports.map((transport) => <Card transport={transport} visit={visit} />)}
        </div>
      </>
    ),
  });
}

/** Pauses a transport. */
export async function pauseTransport(visit: Visit): Promise<Response> {
  const read = await readPause(visit, "transports");
  if (read.kind === "wrong") return await read.page;
  await visit.ports.transports.pause(read.name, read.request);
  return visit.goTo("/transports?did=paused");
}

/** Ends a pause. */
export async function resumeTransport(visit: Visit): Promise<Response> {
  const { name = "" } = await visit.form();
  const isDone = await visit.ports.transports.resume(name, { by: visit.actor });
  return visit.goTo(`/transports?did=${isDone ? "resumed" : "unpaused"}`);
}

/** Forgets that a transport was down. */
export async function resetTransport(visit: Visit): Promise<Response> {
  const { name = "" } = await visit.form();
  await visit.ports.transports.reset(name, { by: visit.actor });
  return visit.goTo("/transports?did=reset");
}

function Card({ transport, visit }: { transport: TransportStatus; visit: Visit }) {
  const { name, kind, outcomes, state } = transport;
  const { delivered, deferred, bounced, uncertain } = outcomes;
  return (
    <section class="panel" id={name} aria-labelledby={`transport-${name}`} data-row>
      <header class="panel-head">
        <h2 id={`transport-${name}`}>{name}</h2>
        <span class="faint small">{kind}</span>
        <WayStateMark state={state} />
      </header>
      <div class="panel-body stack tight">
        <Trouble transport={transport} nowMs={visit.nowMs} />
        <Share
          label={`${counted(delivered, "delivery", "deliveries")}, ${
            counted(deferred, "deferral")
          }, ${counted(bounced, "bounce")}`}
          parts={[
            { value: delivered, tone: "good" },
            { value: deferred + uncertain, tone: "warn" },
            { value: bounced, tone: "bad" },
          ]}
        />
        <ul class="outcomes">
          <li data-tone="good">
            <b>{count(delivered)}</b> delivered
          </li>
          <li data-tone="warn">
            <b>{count(deferred)}</b> deferred
          </li>
          <li data-tone="bad">
            <b>{count(bounced)}</b> bounced
          </li>
          {uncertain > 0 && (
            <li data-tone="warn">
              <b>{count(uncertain)}</b> uncertain
            </li>
          )}
        </ul>
        <Details transport={transport} nowMs={visit.nowMs} />
      </div>
      {visit.may("operator") && (
        <div class="panel-foot">
          <CardActions transport={transport} />
        </div>
      )}
    </section>
  );
}

function Trouble({ transport, nowMs }: { transport: TransportStatus; nowMs: number }) {
  const { pause, state, lastError, retryAtMs } = transport;
  if (pause !== null) {
    return (
      <p class="trouble" data-tone="hold">
        Paused by {pause.by} <Time atMs={pause.sinceMs} nowMs={nowMs} />: {pause.reason}
        {pause.untilMs !== null && (
          <>
            . Until <Time atMs={pause.untilMs} nowMs={nowMs} />
          </>
        )}
      </p>
    );
  }
  if (state === "up") return null;
  return (
    <p class="trouble" data-tone="bad">
      {lastError?.text ?? "It is not working."}
      {retryAtMs !== null && (
        <>
          . Next attempt <Time atMs={retryAtMs} nowMs={nowMs} />
        </>
      )}
    </p>
  );
}

function Details({ transport, nowMs }: { transport: TransportStatus; nowMs: number }) {
  const { running, waiting, destinations, destinationsDown, routes } = transport;
  const { lastError, lastSuccessAtMs, state } = transport;
  return (
    <dl class="facts">
      <Fact name="Now">{running} running, {count(waiting)} waiting</Fact>
      <Fact name="Destinations">
        {count(destinations)} known{destinationsDown > 0 && `, ${count(destinationsDown)} down`}
      </Fact>
      <Fact name="Routes">
        {routes.length === 0
          ? <span class="faint">no route uses it</span>
          : routes.map((route, index) => (
            <>
              {index > 0 && ", "}
              <a href={`/routes#${encodeURIComponent(route)}`}>{route}</a>
            </>
          ))}
      </Fact>
      <Fact name="Last success">
        {lastSuccessAtMs === null
          ? <span class="faint">none since the start</span>
          : <Time atMs={lastSuccessAtMs} nowMs={nowMs} />}
      </Fact>
      {lastError !== null && state === "up" && (
        <Fact name="Last error">
          <span class="reply">{lastError.text}</span>{" "}
          <span class="faint small">
            <Time atMs={lastError.atMs} nowMs={nowMs} />
          </span>
        </Fact>
      )}
    </dl>
  );
}

function CardActions({ transport: { name, state, pause, destinationsDown } }: {
  transport: TransportStatus;
}) {
  return (
    <div class="button-row">
      <a class="button small" href={`/transports/test?name=${encodeURIComponent(name)}`}>Test…</a>
      {pause === null
        ? (
          <a class="button small" href={`/transports/pause?name=${encodeURIComponent(name)}`}>
            Pause…
          </a>
        )
        : <ActionButton action="/transports/resume" values={{ name }} label="Resume" />}
      {(state === "down" || state === "probing" || destinationsDown > 0) && (
        <ActionButton action="/transports/reset" values={{ name }} label="Clear failures" />
      )}
    </div>
  );
}
