import type { PartialCount } from "../../../../queue/store.ts";
import { COUNT_MS } from "../../../api/count_time.ts";
import type { MessageFilter, MessageListItem } from "../../../ports.ts";
import { Empty, Notice, Panel } from "../../parts/boxes.tsx";
import { countedSoFar } from "../../parts/quantity.ts";
import type { Visit } from "../../visit.tsx";
import { changeable, type QueueAction, type QueueActionName, queueActionOf } from "./actions.ts";
import { ActionFields, HiddenFields } from "./ask.tsx";
import { filterValue } from "./filters.tsx";
import { MessageTable } from "./list.tsx";
import { type ActionInput, inputOf, type Performance, performanceOf } from "./perform.ts";
import { filterParams, queueAddress, type QueueQuery, readQueueQuery, VIEWS } from "./query.ts";

const SAMPLES = 5;

/** An action with what it is meant for, as an address or a form says. */
interface Intent {
  readonly name: QueueActionName;
  readonly action: QueueAction;
  readonly query: QueueQuery;
  readonly input: ActionInput;
  /** Null while something is left to be said. */
  readonly performance: Performance | null;
  /** What is wrong with what was said; empty when nothing is. */
  readonly wrong: string;
  /** The page to go back to. */
  readonly back: string;
}

/** Shows what an action would do before it is done. */
export async function confirmPage(visit: Visit): Promise<Response> {
  const intent = intentOf(visit, visit.c.req.queries());
  if (intent === null) return await showMisunderstood(visit);
  const { name, action, query, performance, back } = intent;
  const filter = pinned(meantBy(intent), visit.nowMs);
  const { total, samples } = await preview(visit, filter);
  const what = countedSoFar(total, "message");
  const isNone = total.isComplete && total.count === 0;
  const isReady = performance !== null || action.asks === "transport";
  const hidden = [
    ["action", name],
    ["from", back],
    ["view", query.view],
    ...filterParams(query.params).filter(([key]) => key !== "receivedBeforeMs"),
  ] as const;
  return await visit.show({
    title: action.label,
    place: "/queue",
    children: (
      <>
        <header class="page-head">
          <h1>{isNone ? "No matches" : action.question(what)}</h1>
          <p class="page-lead">{action.explanation}</p>
        </header>
        {query.params["ids"] === undefined && <Scope query={query} />}
        {intent.wrong !== "" && <Notice tone="bad">{intent.wrong}</Notice>}
        {action.asks === "recipients" && (
          <form class="panel" method="get" action="/queue/confirm">
            <HiddenFields fields={hidden} />
            <ActionFields visit={visit} intent={intent} />
          </form>
        )}
        <Samples total={total} samples={samples} nowMs={visit.nowMs} />
        <form class="stack" method="post" action="/queue/apply">
          <HiddenFields
            fields={[...hidden, ["receivedBeforeMs", String(filter.receivedBeforeMs)]]}
          />
          {action.asks === "transport" && !isNone && <ActionFields visit={visit} intent={intent} />}
          {action.asks === "recipients" && (
            <HiddenFields fields={[["remove", intent.input.remove], ["add", intent.input.add]]} />
          )}
          <div class="button-row">
            {!isNone && isReady && <Confirm action={action} what={what} />}
            <a class="button" href={back}>Back</a>
          </div>
        </form>
      </>
    ),
  });
}

/** Does it, and goes back. */
export async function applyAction(visit: Visit): Promise<Response> {
  const form = await visit.c.req.parseBody({ all: true });
  const given = Object.entries(form).map(([key, value]) => [key, [value].flat().map(String)]);
  const intent = intentOf(visit, Object.fromEntries(given));
  if (intent === null || intent.performance === null) return await showMisunderstood(visit);
  const filter = meantBy(intent);
  const changed = filter.states?.length === 0
    ? 0
    : await intent.performance.run(visit.ports.queue, { filter, by: visit.actor });
  const back = new URL(intent.back, "http://localhost");
  back.searchParams.set("did", intent.name);
  back.searchParams.set("n", String(changed));
  return visit.goTo(`${back.pathname}${back.search}`);
}

function intentOf(
  { ports, nowMs }: Visit,
  { action: words, ...given }: Record<string, string[]>,
): Intent | null {
  const found = queueActionOf(words?.[0]);
  const read = readQueueQuery(given, nowMs);
  if (found === null || read.kind === "wrong") return null;
  const { query } = read;
  const input = inputOf(given);
  const result = performanceOf(found.name, { input, ports });
  const isAsked = Object.values(input).some((value) => value !== "");
  const back = backOf(given["from"]?.[0], query);
  return "wrong" in result
    ? { ...found, query, input, back, performance: null, wrong: isAsked ? result.wrong : "" }
    : { ...found, query, input, back, performance: result, wrong: "" };
}

function meantBy({ action, query, performance }: Intent): MessageFilter {
  return changeable({ ...query.filter, ...performance?.narrowing }, action);
}

/** How many fit, and the newest of them; a filter without states means nothing. */
async function preview(
  { ports: { queue } }: Visit,
  filter: MessageFilter,
): Promise<{ total: PartialCount; samples: readonly MessageListItem[] }> {
  if (filter.states?.length === 0) return { total: { count: 0, isComplete: true }, samples: [] };
  const [total, { items }] = await Promise.all([
    queue.countWithin(filter, COUNT_MS),
    queue.list({ filter, limit: SAMPLES }),
  ]);
  return { total, samples: items };
}

/** What arrives while somebody reads the question is not meant. */
function pinned(
  filter: MessageFilter,
  nowMs: number,
): MessageFilter & { readonly receivedBeforeMs: number } {
  return { ...filter, receivedBeforeMs: Math.min(filter.receivedBeforeMs ?? Infinity, nowMs + 1) };
}

/** A page of ours to go back to; never another site. */
function backOf(from: string | undefined, { params }: QueueQuery): string {
  if (from !== undefined && /^\/(?:queue|messages)[\w/?&=.%+-]*$/.test(from)) return from;
  return queueAddress(params, { ids: null, receivedBeforeMs: null });
}

function Samples(
  { total, samples, nowMs }: {
    total: PartialCount;
    samples: readonly MessageListItem[];
    nowMs: number;
  },
) {
  return (
    <Panel
      id="samples"
      title={total.count > SAMPLES ? `The newest ${SAMPLES} of them` : "Messages"}
    >
      {samples.length === 0
        ? (
          <Empty title="This action cannot change these messages" tight>
            <p>Their state does not allow it, or they were delivered meanwhile.</p>
          </Empty>
        )
        : <MessageTable items={samples} nowMs={nowMs} canPick={false} />}
    </Panel>
  );
}

function Scope({ query }: { query: QueueQuery }) {
  const filters = filterParams(query.params);
  const { name } = VIEWS[query.view];
  return (
    <Notice tone={filters.length === 0 ? "warn" : "wait"}>
      {filters.length === 0
        ? (
          <>
            All messages in the list <b>{name}</b> are selected, not only this page.
          </>
        )
        : (
          <>
            All messages in the list <b>{name}</b> matching these filters are selected:{" "}
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
      autofocus={action.asks === undefined}
    >
      {action.label}: {what}
    </button>
  );
}

async function showMisunderstood(visit: Visit): Promise<Response> {
  return await visit.show({
    title: "Invalid request",
    place: "/queue",
    status: 400,
    children: (
      <Notice tone="bad">
        The action or its filters are invalid; nothing was changed.{" "}
        <a href="/queue">Back to the queue</a>.
      </Notice>
    ),
  });
}
