import { z } from "zod";
import { LIST_ORDERS, type ListOrder } from "../../../../queue/store.ts";
import { filterOf, filterQuery } from "../../../api/schemas/filter.ts";
import { pageQuery } from "../../../api/schemas/fields.ts";
import type { MessageFilter, RecipientState } from "../../../ports.ts";
import { INPUT_NAMES } from "./perform.ts";

/** Lists that people ask for, each a choice of states. */
export const VIEWS = {
  live: { name: "Waiting", states: ["queued", "held"] },
  queued: { name: "Queued", states: ["queued"] },
  held: { name: "Held", states: ["held"] },
  delivered: { name: "Delivered", states: ["delivered"] },
  failed: { name: "Failed", states: ["failed", "expired"] },
  cancelled: { name: "Cancelled", states: ["cancelled"] },
  all: { name: "All", states: null },
} as const satisfies Record<
  string,
  { name: string; states: readonly RecipientState[] | null }
>;
export type ViewName = keyof typeof VIEWS;

/** What stands in the address of a list. */
export type QueueParams = Readonly<Record<string, readonly string[]>>;

const { states: _states, ...fields } = filterQuery;
const paramsSchema = z.strictObject({
  view: z.enum(Object.keys(VIEWS) as [ViewName, ...ViewName[]]).default("live"),
  ...fields,
  cursor: pageQuery.cursor,
  order: z.enum(LIST_ORDERS).default("newest"),
});

/** A list that is asked for. */
export interface QueueQuery {
  readonly view: ViewName;
  /** All that was given, for links and forms; keys without a value are left out. */
  readonly params: QueueParams;
  readonly filter: MessageFilter;
  readonly cursor: string | undefined;
  readonly order: ListOrder;
}

export type QueueQueryResult =
  | { readonly kind: "ok"; readonly query: QueueQuery }
  | {
    readonly kind: "wrong";
    readonly params: QueueParams;
    /** What is wrong, by parameter. */
    readonly errors: ReadonlyMap<string, string>;
  };

/** The null reverse-path where a form can say it: an empty field means any sender. */
export const NULL_SENDER = "<>";

/** Parameters that do not belong to a filter. */
const OTHERS = ["cursor", "action", "from", ...INPUT_NAMES];

/** Those that do not belong to a list at all. */
const NO_FILTERS = OTHERS.slice(1);

/** Reads the address of a list, whose filters are those of the API. */
export function readQueueQuery(
  given: Readonly<Record<string, readonly string[]>>,
  nowMs: number,
): QueueQueryResult {
  const params = withoutEmpty(given);
  const values = Object.entries(params).filter(([key]) => !NO_FILTERS.includes(key))
    .map(([key, list]) => [key, key === "sender" && list[0] === NULL_SENDER ? "" : oneOrAll(list)]);
  const result = paramsSchema.safeParse(Object.fromEntries(values));
  if (!result.success) {
    const errors = new Map(
      result.error.issues.map(({ path, message }) => [String(path[0] ?? ""), message]),
    );
    return { kind: "wrong", params, errors };
  }
  const { view, cursor, order, ...rest } = result.data;
  const { states } = VIEWS[view];
  const input = states === null ? rest : { ...rest, states: [...states] };
  return { kind: "ok", query: { view, params, filter: filterOf(input, nowMs), cursor, order } };
}

/** The address of a list; changes replace what stands in `params`, null takes it out. */
export function queueAddress(
  params: QueueParams,
  changes: Readonly<Record<string, string | null>> = {},
  path = "/queue",
): string {
  const search = new URLSearchParams();
  for (const [key, values] of Object.entries(params)) {
    if (key in changes || OTHERS.includes(key)) continue;
    for (const value of values) search.append(key, value);
  }
  for (const [key, value] of Object.entries(changes)) {
    if (value !== null) search.append(key, value);
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The filters of a list as names and values, without the view. */
export function filterParams(params: QueueParams): [key: string, value: string][] {
  return Object.entries(params)
    .filter(([key]) => key !== "view" && key !== "order" && !OTHERS.includes(key))
    .flatMap(([key, values]) => values.map((value): [string, string] => [key, value]));
}

function withoutEmpty(given: Readonly<Record<string, readonly string[]>>): QueueParams {
  const pairs = Object.entries(given)
    .map(([key, values]) => [key, values.map((value) => value.trim()).filter(Boolean)] as const)
    .filter(([, values]) => values.length > 0);
  return Object.fromEntries(pairs);
}

function oneOrAll(values: readonly string[]): string | readonly string[] | undefined {
  return values.length === 1 ? values[0] : values;
}
