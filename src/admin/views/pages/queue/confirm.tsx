import type { MessageFilter, MessageListItem } from "../../../ports.ts";
import { Empty, Notice, Panel } from "../../parts/boxes.tsx";
import { counted } from "../../parts/quantity.ts";
import type { Visit } from "../../visit.tsx";
import { changeable, type QueueAction, queueActionOf } from "./actions.ts";
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
  const filter = changeable(pinned(query.filter, visit.nowMs), action);
  const { total, samples } = await preview(visit, filter);
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
        <Panel id="samples" title={total > SAMPLES ? `The newest ${SAMPLES} of them` : "Messages"}>
          {total === 0
            ? (
              <Empty title="Nothing here can be changed that way" tight>
                <p>The messages are in other states, or were delivered meanwhile.</p>
              </Empty>
            )
            : <MessageTable items={samples} nowMs={visit.nowMs} canPick={false} />}
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
  const filter = changeable(read.query.filter, action);
  const changed = filter.states?.length === 0
    ? 0
    : await visit.ports.queue.command({ filter, command: action.command, by: visit.actor });
  const back = new URL(backOf(from?.[0], read.query), "http://localhost");
  back.searchParams.set("did", name);
  back.searchParams.set("n", String(changed));
  return visit.goTo(`${back.pathname}${back.search}`);
}

/** How many fit, and the newest of them; a filter without states means nothing. */
async function preview(
  { ports: { queue } }: Visit,
  filter: MessageFilter,
): Promise<{ total: number; samples: readonly MessageListItem[] }> {
  if (filter.states?.length === 0) return { total: 0, samples: [] };
  const [total, { items }] = await Promise.all([
    queue.count(filter),
    queue.list({ filter, limit: SAMPLES }),
  ]);
  return { total, samples: items };
}

/** What arrives while somebody reads the question is not meant. */
function pinned(filter: MessageFilter, nowMs: number): MessageFilter {
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
