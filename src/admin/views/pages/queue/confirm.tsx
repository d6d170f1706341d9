import type { MessageFilter } from "../../../ports.ts";
import { Empty, Notice, Panel } from "../../parts/boxes.tsx";
import { counted } from "../../parts/quantity.ts";
import type { Visit } from "../../visit.tsx";
import { type QueueAction, queueActionOf } from "./actions.ts";
import { filterValue } from "./filters.tsx";
import { MessageTable } from "./list.tsx";
import { filterParams, queueAddress, type QueueQuery, readQueueQuery, VIEWS } from "./query.ts";

const SAMPLES = 5;

/** Shows what an action would do before it is done. */
export async function confirmPage(visit: Visit): Promise<Response> {
  const { action: words, ...given } = visit.c.req.queries();
  const found = queueActionOf(words?.[0]);
  const read = readQueueQuery(given, visit.nowMs);
  if (found === null || read.kind === "wrong") return await showMisunderstood(visit);
  const { query } = read;
  const { name, action } = found;
  const filter = pinned(query.filter, visit.nowMs);
  const { queue } = visit.ports;
  const [total, samples] = await Promise.all([
    queue.count(filter),
    queue.list({ filter, limit: SAMPLES }),
  ]);
  const back = backOf(given["from"]?.[0], query);
  const what = counted(total, "message");
  return await visit.show({
    title: action.label,
    place: "/queue",
    children: (
      <>
        <header class="page-head">
          <h1>{total === 0 ? "Nothing fits" : action.question(what)}</h1>
          <p class="page-lead">{action.explanation}</p>
        </header>
        {query.params["ids"] === undefined && <Scope query={query} />}
        <Panel id="samples" title={total > SAMPLES ? `The newest ${SAMPLES} of them` : "These"}>
          {total === 0
            ? (
              <Empty title="No message fits any more" tight>
                <p>They were delivered or changed meanwhile.</p>
              </Empty>
            )
            : <MessageTable items={samples.items} nowMs={visit.nowMs} canPick={false} />}
        </Panel>
        <form class="button-row" method="post" action="/queue/apply">
          <input type="hidden" name="action" value={name} />
          <input type="hidden" name="from" value={back} />
          <input type="hidden" name="view" value={query.view} />
          <input type="hidden" name="receivedBeforeMs" value={filter.receivedBeforeMs} />
          {filterParams(query.params).filter(([key]) => key !== "receivedBeforeMs")
            .map(([key, value]) => <input type="hidden" name={key} value={value} />)}
          {total > 0 && <Confirm action={action} what={what} />}
          <a class="button" href={back}>Back</a>
        </form>
      </>
    ),
  });
}

/** Does it, and goes back. */
export async function applyAction(visit: Visit): Promise<Response> {
  const form = await visit.c.req.parseBody({ all: true });
  const { action: word, from, ...given } = Object.fromEntries(
    Object.entries(form).map(([key, value]) => [key, [value].flat().map(String)]),
  );
  const found = queueActionOf(word?.[0]);
  const read = readQueueQuery(given, visit.nowMs);
  if (found === null || read.kind === "wrong") return await showMisunderstood(visit);
  const { name, action } = found;
  const changed = await visit.ports.queue.command({
    filter: read.query.filter,
    command: action.command,
    by: visit.actor,
  });
  const back = new URL(backOf(from?.[0], read.query), "http://localhost");
  back.searchParams.set("did", name);
  back.searchParams.set("n", String(changed));
  return visit.goTo(`${back.pathname}${back.search}`);
}

/** What arrives while somebody reads the question is not meant. */
function pinned(filter: MessageFilter, nowMs: number): MessageFilter & {
  readonly receivedBeforeMs: number;
} {
  return { ...filter, receivedBeforeMs: Math.min(filter.receivedBeforeMs ?? Infinity, nowMs + 1) };
}

/** A page of ours to go back to; never another site. */
function backOf(from: string | undefined, { params }: QueueQuery): string {
  if (from !== undefined && /^\/(?:queue|messages)[\w/?&=.%+-]*$/.test(from)) return from;
  return queueAddress(params, { ids: null, receivedBeforeMs: null });
}

function Scope({ query }: { query: QueueQuery }) {
  const filters = filterParams(query.params);
  const { name } = VIEWS[query.view];
  return (
    <Notice tone={filters.length === 0 ? "warn" : "wait"}>
      {filters.length === 0
        ? (
          <>
            Everything in the list <b>{name}</b> is meant, not only the page you saw.
          </>
        )
        : (
          <>
            Everything in the list <b>{name}</b> that fits is meant:{" "}
            {filters.map(([key, value]) => `${key} ${filterValue(key, value)}`).join(", ")}.
          </>
        )}
    </Notice>
  );
}

function Confirm({ action, what }: { action: QueueAction; what: string }) {
  return (
    <button
      type="submit"
      class={action.isDangerous ? "button primary danger" : "button primary"}
      autofocus
    >
      {action.label}: {what}
    </button>
  );
}

async function showMisunderstood(visit: Visit): Promise<Response> {
  return await visit.show({
    title: "Not understood",
    place: "/queue",
    status: 400,
    children: (
      <Notice tone="bad">
        The action or its filters cannot be used; nothing was changed.{" "}
        <a href="/queue">Back to the queue</a>.
      </Notice>
    ),
  });
}
