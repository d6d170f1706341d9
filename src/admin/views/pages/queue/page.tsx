import type { ListOrder, PartialCount } from "../../../../queue/store.ts";
import { COUNT_MS } from "../../../api/count_time.ts";
import type { MessagePage, RecipientState } from "../../../ports.ts";
import { Empty, Notice } from "../../parts/boxes.tsx";
import { LiveMark } from "../../parts/live_mark.tsx";
import { count, counted, countedSoFar } from "../../parts/quantity.ts";
import type { Visit } from "../../visit.tsx";
import { actionsIn, queueActionOf } from "./actions.ts";
import { FilterChips, FilterForm, hasField, ViewTabs } from "./filters.tsx";
import { MessageTable } from "./list.tsx";
import {
  filterParams,
  queueAddress,
  type QueueParams,
  type QueueQuery,
  readQueueQuery,
  VIEWS,
} from "./query.ts";

const PAGE_SIZE = 50;
const LIVE_MS = 3_000;
/** What the next page has, by the order of the list. */
const NEXT_PAGES: Readonly<Record<ListOrder, string>> = {
  newest: "Older",
  oldest: "Newer",
  next: "Later",
  largest: "Smaller",
  attempts: "Fewer attempts",
};

/** The list of messages. */
export async function queuePage(visit: Visit): Promise<Response> {
  const { did, n, ...given } = visit.c.req.queries();
  const read = readQueueQuery(given, visit.nowMs);
  if (read.kind === "wrong") return await showWrong(visit, read);
  const { query } = read;
  const { queue } = visit.ports;
  const { filter, cursor, order } = query;
  const [page, total] = await Promise.all([
    queue.list({ filter, order, limit: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) }),
    queue.countWithin(filter, COUNT_MS),
  ]);
  return await visit.show({
    title: "Queue",
    place: "/queue",
    ...(cursor === undefined ? { liveMs: LIVE_MS } : {}),
    children: (
      <>
        <Heading query={query} total={total} />
        <Done did={did?.[0]} n={n?.[0]} />
        <ViewTabs view={query.view} params={query.params} />
        <FilterForm view={query.view} params={query.params} order={query.order} />
        <FilterChips params={query.params} />
        <section
          class="panel"
          id="messages"
          aria-label="Messages"
          data-live-part={cursor === undefined ? "" : undefined}
        >
          <List visit={visit} query={query} page={page} total={total} />
        </section>
      </>
    ),
  });
}

async function showWrong(
  visit: Visit,
  { params, errors }: { params: QueueParams; errors: ReadonlyMap<string, string> },
): Promise<Response> {
  const others = [...errors].filter(([key]) => !hasField(key));
  return await visit.show({
    title: "Queue",
    place: "/queue",
    status: 400,
    children: (
      <>
        <header class="page-head">
          <h1>Queue</h1>
        </header>
        <Notice tone="bad">
          The filters are invalid{others.map(([key, message]) => `; ${key}: ${message}`)}.{" "}
          <a href="/queue">Clear the filters</a>.
        </Notice>
        <FilterForm view="live" params={params} errors={errors} />
      </>
    ),
  });
}

function Heading({ query, total }: { query: QueueQuery; total: PartialCount }) {
  return (
    <header class="page-head">
      <h1>Queue</h1>
      <span class="soft" id="queue-total" data-live-part="">{countedSoFar(total, "message")}</span>
      {query.cursor === undefined && (
        <div class="page-actions">
          <LiveMark />
        </div>
      )}
    </header>
  );
}

/** What was just done, said in our own words whatever the address says. */
function Done({ did, n }: { did: string | undefined; n: string | undefined }) {
  const found = queueActionOf(did);
  if (found === null) return null;
  const number = Number(n);
  if (!Number.isSafeInteger(number) || number < 0) return null;
  if (number === 0) return <Notice tone="idle">No messages matched; nothing changed.</Notice>;
  return <Notice tone="good">{found.action.done(counted(number, "message"))}</Notice>;
}

function List(
  { visit, query, page, total }: {
    visit: Visit;
    query: QueueQuery;
    page: MessagePage;
    total: PartialCount;
  },
) {
  const { params, cursor } = query;
  if (page.items.length === 0 && page.cursor === null) {
    return <NoMessages query={query} canSend={hasCompose(visit)} />;
  }
  const canAct = visit.may("operator");
  // Picked rows are more ids: where the list is one of ids already, it is meant as a whole.
  const canPick = canAct && params["ids"] === undefined;
  return (
    <form method="get" action="/queue/confirm">
      {Object.entries(params).flatMap(([key, values]) =>
        key === "cursor"
          ? []
          : values.map((value) => <input type="hidden" name={key} value={value} />)
      )}
      {canAct && <BulkBar total={total} states={VIEWS[query.view].states} />}
      {page.items.length === 0
        ? (
          <Empty icon="search" title="No matches so far" tight>
            <p>The search stopped after many messages; continue with older ones.</p>
          </Empty>
        )
        : <MessageTable items={page.items} nowMs={visit.nowMs} canPick={canPick} />}
      {(cursor !== undefined || page.cursor !== null) && (
        <nav class="panel-foot pager" aria-label="Pages of the list">
          {cursor !== undefined && <a class="button" href={queueAddress(params)}>First page</a>}
          {page.cursor !== null && (
            <a class="button" href={queueAddress(params, { cursor: page.cursor })} rel="next">
              {page.items.length === 0 ? "Continue search" : NEXT_PAGES[query.order]}
            </a>
          )}
        </nav>
      )}
    </form>
  );
}

function hasCompose(visit: Visit): boolean {
  return visit.ports.submission !== undefined && visit.may("operator");
}

function BulkBar(
  { total, states }: { total: PartialCount; states: readonly RecipientState[] | null },
) {
  const everything = total.isComplete ? `All ${count(total.count)} matches` : "All matches";
  return (
    <div class="bulk" role="group" aria-label="Actions on messages">
      <span class="bulk-what" data-picked={everything} data-keep="">{everything}</span>
      {actionsIn(states).map(([name, { label, isDangerous }]) => (
        <button
          type="submit"
          name="action"
          value={name}
          class={isDangerous ? "button small danger" : "button small"}
          data-key={name === "retry" ? "r" : undefined}
        >
          {label}…
        </button>
      ))}
    </div>
  );
}

function NoMessages({ query, canSend }: { query: QueueQuery; canSend: boolean }) {
  const { view, params } = query;
  if (filterParams(params).length > 0) {
    return (
      <Empty icon="search" title="No message matches these filters">
        <p>It may be in another state, or its history was deleted.</p>
        <div class="button-row">
          {view !== "all" && (
            <a class="button" href={queueAddress(params, { view: "all" })}>Search all states</a>
          )}
          <a class="button" href="/queue">Clear the filters</a>
        </div>
      </Empty>
    );
  }
  if (view !== "live") {
    return (
      <Empty icon="inbox" title={`${VIEWS[view].name}: none`}>
        <p>No message has a recipient in this state.</p>
      </Empty>
    );
  }
  return (
    <Empty icon="check" title="No messages are waiting">
      <p>All accepted mail was delivered or ended otherwise.</p>
      <div class="button-row">
        <a class="button" href="/queue?view=all">Show delivered messages</a>
        {canSend && <a class="button" href="/compose">Send a test message</a>}
      </div>
    </Empty>
  );
}
