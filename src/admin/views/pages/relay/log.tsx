import { EVENT_LEVELS, type EventLevel } from "../../../../observe/event_level.ts";
import { type EventView, eventView } from "../../../events/event_view.ts";
import { type EventFilter, fitsEvent } from "../../../events/filter.ts";
import { Empty } from "../../parts/boxes.tsx";
import { blankForm, SelectField, TextField } from "../../parts/form.tsx";
import { LiveMark } from "../../parts/live_mark.tsx";
import { counted } from "../../parts/quantity.ts";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";

const LIVE_MS = 1_000;
const SHOWN = 200;

const KINDS = {
  mail: { name: "Mail", types: mailTypes() },
  sessions: { name: "Sessions", types: ["session_opened", "session_closed", "command_refused"] },
  ways: { name: "Destinations", types: ["destination_down", "destination_up"] },
  relay: {
    name: "The relay",
    types: ["listening", "started", "reloaded", "draining", "stopped", "trouble"],
  },
} as const;

function mailTypes(): string[] {
  return [
    ...["accepted", "refused", "delivered", "deferred", "bounced", "expired", "uncertain"],
    ...["suppressed", "feedback", "notified", "held", "released", "retried", "cancelled"],
    ...["returned", "rerouted", "readdressed", "deleted", "operated"],
  ];
}

const LEVEL_NAMES: Readonly<Record<EventLevel, string>> = {
  debug: "All",
  info: "Info and above",
  warning: "Warnings and errors",
  error: "Errors",
};

/** What happens, as it happens. */
export async function logPage(visit: Visit): Promise<Response> {
  const { c, ports, nowMs } = visit;
  const values = {
    level: levelOf(c.req.query("level")),
    kind: c.req.query("kind") ?? "",
    text: (c.req.query("text") ?? "").trim(),
  };
  const filter = filterOf(values);
  const kept = ports.events.recent({ limit: Number.MAX_SAFE_INTEGER });
  const items = kept.values().filter((event) => fitsEvent(event, filter)).take(SHOWN)
    .map(eventView).toArray();
  return await visit.show({
    title: "Log",
    place: "/log",
    liveMs: LIVE_MS,
    children: (
      <>
        <header class="page-head">
          <h1>Log</h1>
          <span class="soft">the last {counted(SHOWN, "event")} that fit</span>
          <div class="page-actions">
            <LiveMark />
          </div>
        </header>
        <Filters values={values} />
        <section class="panel" id="log" aria-label="Events" data-live-part="">
          {items.length === 0
            ? <NoEvents hasFilter={values.kind !== "" || values.text !== ""} />
            : <EventTable items={items} nowMs={nowMs} />}
        </section>
      </>
    ),
  });
}

function levelOf(text: string | undefined): EventLevel {
  return EVENT_LEVELS.find((level) => level === text) ?? "info";
}

function filterOf(
  { level, kind, text }: { level: EventLevel; kind: string; text: string },
): EventFilter {
  const types = Object.hasOwn(KINDS, kind) ? KINDS[kind as keyof typeof KINDS].types : undefined;
  const isId = /^[0-9A-Za-z]{16}$/.test(text);
  return {
    level,
    ...(types === undefined ? {} : { types }),
    ...(isId ? { messageId: text.toUpperCase() } : {}),
    ...(text === "" || isId ? {} : { text: text.toLowerCase() }),
  };
}

function Filters({ values }: { values: Readonly<Record<string, string>> }) {
  const form = blankForm(values);
  const kinds = Object.entries(KINDS).map(([value, { name }]) => ({ value, text: name }));
  const levels = EVENT_LEVELS.map((value) => ({ value, text: LEVEL_NAMES[value] }));
  return (
    <form
      class="filters log-filters"
      method="get"
      action="/log"
      role="search"
      aria-label="Filter events"
    >
      <TextField
        form={form}
        name="text"
        label="Text or queue id"
        type="search"
        placeholder="an address, a reply, a queue id"
      />
      <SelectField
        form={form}
        name="kind"
        label="Area"
        options={[{ value: "", text: "All" }, ...kinds]}
        submits
      />
      <SelectField form={form} name="level" label="Level" options={levels} submits />
      <button type="submit" class="button">Filter</button>
    </form>
  );
}

const LEVEL_TONES = { debug: "idle", info: "wait", warning: "warn", error: "bad" } as const;

function EventTable({ items, nowMs }: { items: readonly EventView[]; nowMs: number }) {
  return (
    <table class="table log-table">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Event</th>
          <th scope="col">Details</th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ id, atMs, level, text, event }) => (
          <tr data-row id={`event-${id}`}>
            <td class="nowrap soft">
              <Time atMs={atMs} nowMs={nowMs} form="clock" />
            </td>
            <td>
              <span class="chip" data-tone={LEVEL_TONES[level]} title={level}>
                {String(event["type"]).replaceAll("_", " ")}
              </span>
            </td>
            <td class="log-text wrap">
              {text}
              <MessageLink id={event["messageId"]} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function MessageLink({ id }: { id: unknown }) {
  if (typeof id !== "string") return null;
  return (
    <>
      {" "}
      <a class="mono nowrap" href={`/messages/${encodeURIComponent(id)}`} data-row-link>{id}</a>
    </>
  );
}

function NoEvents({ hasFilter }: { hasFilter: boolean }) {
  return (
    <Empty icon="log" title={hasFilter ? "No event matches" : "No events yet"}>
      <p>
        {hasFilter
          ? "Only the latest events are kept here; the log has all."
          : "New events appear here. Sessions appear at the level All."}
      </p>
    </Empty>
  );
}
