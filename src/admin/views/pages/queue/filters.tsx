import { LIST_ORDERS, type ListOrder } from "../../../../queue/store.ts";
import { formatSize } from "../../../../observe/quantities.ts";
import { filterQuery } from "../../../api/schemas/filter.ts";
import { Icon } from "../../parts/icon.tsx";
import { roughly } from "../../parts/time.tsx";
import { filterParams, queueAddress, type QueueParams, type ViewName, VIEWS } from "./query.ts";

const AGES = [5 * 60_000, 3_600_000, 6 * 3_600_000, 86_400_000, 2 * 86_400_000];

const LABELS: Readonly<Record<string, string>> = {
  text: "Search",
  listener: "Listener",
  transport: "Transport",
  replyCode: "Last reply starts with",
  minAttempts: "Minimum attempts",
  minSizeBytes: "Minimum size",
  maxSizeBytes: "Maximum size",
  ids: "Queue id",
  domain: "Domain",
  sender: "Sender",
  recipient: "Recipient",
  receivedAfterMs: "Received after",
  receivedBeforeMs: "Received before",
  minAgeMs: "Older than",
  maxAgeMs: "Newer than",
};

/** The choice of states above a list. */
export function ViewTabs({ view, params }: { view: ViewName; params: QueueParams }) {
  return (
    <nav class="tabs" aria-label="States">
      {Object.entries(VIEWS).map(([key, { name }]) => (
        <a
          class="tab"
          href={queueAddress(params, { view: key === "live" ? null : key })}
          aria-current={key === view ? "page" : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}

/** Filters that few people need at once stand behind a summary. */
const MORE = [
  { name: "sender", hint: "user@example.org or <>" },
  { name: "transport", hint: "mx" },
  { name: "replyCode", hint: "451 4.7.1" },
  { name: "minAttempts", hint: "3" },
  { name: "listener", hint: "smtp" },
  { name: "minSizeBytes", hint: "octets" },
  { name: "maxSizeBytes", hint: "octets" },
] as const;

/** Whether a filter has a field, at which its error stands. */
export function hasField(key: string): boolean {
  return ["text", "recipient", "domain", ...MORE.map(({ name }) => name)].includes(key);
}

/** The fields that narrow a list: those of the API. */
export function FilterForm(
  { view, params, order = "newest", errors = new Map() }: {
    view: ViewName;
    params: QueueParams;
    order?: ListOrder;
    errors?: ReadonlyMap<string, string>;
  },
) {
  const common = { params, errors };
  const isSearchable = Object.hasOwn(filterQuery, "text");
  const more = MORE.filter(({ name }) => Object.hasOwn(filterQuery, name));
  const isOpen = more.some(({ name }) => params[name] !== undefined || errors.has(name));
  return (
    <form
      class="filter-form"
      method="get"
      action="/queue"
      role="search"
      aria-label="Filter messages"
    >
      {view !== "live" && <input type="hidden" name="view" value={view} />}
      <div class="filters">
        {isSearchable && <TextFilter {...common} name="text" hint="subject or address" isFirst />}
        <TextFilter {...common} name="recipient" hint="user@example.net" isFirst={!isSearchable} />
        <TextFilter {...common} name="domain" hint="example.net" />
        <AgeFilter params={params} />
        <OrderChoice order={order} />
        <button type="submit" class="button">Filter</button>
      </div>
      <details class="more-filters" open={isOpen}>
        <summary>More filters</summary>
        <div class="filters">
          {more.map(({ name, hint }) => <TextFilter {...common} name={name} hint={hint} />)}
        </div>
      </details>
    </form>
  );
}

function TextFilter(
  { name, hint, params, errors, isFirst = false }: {
    name: string;
    hint: string;
    params: QueueParams;
    errors: ReadonlyMap<string, string>;
    isFirst?: boolean;
  },
) {
  const error = errors.get(name);
  return (
    <div class="field">
      <label for={`filter-${name}`}>{LABELS[name]}</label>
      <input
        class="input"
        id={`filter-${name}`}
        name={name}
        value={params[name]?.[0] ?? ""}
        placeholder={hint}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        data-search={isFirst ? "" : undefined}
        aria-invalid={error === undefined ? undefined : "true"}
        aria-describedby={error === undefined ? undefined : `filter-${name}-error`}
      />
      {error !== undefined && <p class="field-error" id={`filter-${name}-error`}>{error}</p>}
    </div>
  );
}

const ORDERS: Readonly<Record<ListOrder, string>> = {
  newest: "Newest first",
  oldest: "Oldest first",
  next: "Next attempt first",
  largest: "Largest first",
  attempts: "Most attempts first",
};

function OrderChoice({ order }: { order: ListOrder }) {
  return (
    <div class="field">
      <label for="filter-order">Order</label>
      <select class="input" id="filter-order" name="order" data-submit-on-change>
        {LIST_ORDERS.map((one) => (
          <option value={one === "newest" ? "" : one} selected={one === order}>
            {ORDERS[one]}
          </option>
        ))}
      </select>
    </div>
  );
}

function AgeFilter({ params }: { params: QueueParams }) {
  const chosen = params["minAgeMs"]?.[0] ?? "";
  const isOther = chosen !== "" && !AGES.includes(Number(chosen));
  return (
    <div class="field">
      <label for="filter-age">Age</label>
      <select class="input" id="filter-age" name="minAgeMs" data-submit-on-change>
        <option value="">Any</option>
        {AGES.map((ageMs) => (
          <option value={String(ageMs)} selected={String(ageMs) === chosen}>
            Over {roughly(ageMs)}
          </option>
        ))}
        {isOther && <option value={chosen} selected>Over {roughly(Number(chosen))}</option>}
      </select>
    </div>
  );
}

/** What the list is narrowed to, each with a way to undo it. */
export function FilterChips({ params }: { params: QueueParams }) {
  const filters = filterParams(params);
  if (filters.length === 0) return null;
  return (
    <div class="chips">
      {filters.map(([key, value]) => (
        <a class="chip removable" href={queueAddress(params, { [key]: null })}>
          <span class="sr-only">Remove the filter</span>
          <span class="chip-text">{LABELS[key] ?? key}: {filterValue(key, value)}</span>
          <Icon name="cross" size={11} />
        </a>
      ))}
      {filters.length > 1 && <a class="small" href="/queue">Clear all</a>}
    </div>
  );
}

/** A filter's value for people. */
export function filterValue(key: string, value: string): string {
  if (key.endsWith("AgeMs")) return roughly(Number(value));
  if (key.endsWith("SizeBytes")) return formatSize(Number(value));
  if (key.endsWith("Ms")) return `${new Date(Number(value)).toISOString().slice(0, 16)}Z`;
  return value;
}
