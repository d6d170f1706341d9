import type { ListOrder, ListRequest } from "../store.ts";
import type { Database } from "./database.ts";
import type { PackedPage, Part, Place } from "./protocol.ts";
import { findMessages } from "./search.ts";
import { findSorted, isInOrder } from "./sorted.ts";

/** How long one page is looked for; what finds little goes on with the next one. */
const PAGE_MS = 140;

/** A page of a list, with the cursor of the next one. */
export function pageOf(
  database: Database,
  { filter, limit, order = "newest", cursor, ...which }: ListRequest & Part,
): Omit<PackedPage, "items"> & { readonly sequences: readonly number[] } {
  if (order !== "newest" && order !== "oldest") {
    const after = cursor === undefined ? null : placeOf(cursor);
    const found = findSorted(database, { filter, limit, order, after, ...which });
    const { sequences, places, isMore } = found;
    return { sequences, places, cursor: isMore ? cursorOf(places.at(-1)) : null };
  }
  const after = cursor === undefined ? null : Number.parseInt(cursor);
  const page = findMessages(database, {
    filter,
    range: { after, limit, isUpward: order === "oldest", withinMs: PAGE_MS },
  });
  const next = page.after === null ? null : String(page.after);
  return { sequences: page.sequences, places: [], cursor: next };
}

/** Whether a page is found faster by several that look at a part each. */
export function isDivisiblePage({ filter, order = "newest" }: ListRequest): boolean {
  if (filter.ids !== undefined) return false;
  return order !== "newest" && order !== "oldest" && !isInOrder(filter, order);
}

/** The pages of all parts as one. */
export function joinPages(
  pages: readonly PackedPage[],
  { limit, order = "newest" }: { limit: number; order?: ListOrder },
): PackedPage {
  const sign = order === "next" ? 1 : -1;
  const all = pages.flatMap(({ items, places }) =>
    items.flatMap((item, at) => {
      const place = places[at];
      return place === undefined ? [] : [{ item, place }];
    })
  ).sort(({ place: a }, { place: b }) => sign * (a.value - b.value || a.key - b.key));
  const shown = all.slice(0, limit);
  const isMore = all.length > limit || pages.some(({ cursor }) => cursor !== null);
  return {
    items: shown.map(({ item }) => item),
    places: shown.map(({ place }) => place),
    cursor: isMore ? cursorOf(shown.at(-1)?.place) : null,
  };
}

function cursorOf(place: Place | undefined): string | null {
  return place === undefined ? null : `${place.value}.${place.key}`;
}

/** Where a page ended; the cursor of another order begins somewhere and does no harm. */
function placeOf(cursor: string): Place {
  const [value = 0, key = 0] = cursor.split(".").map((part) => Number.parseInt(part) || 0);
  return { value, key };
}
