import type { ListRequest } from "../store.ts";
import type { Database } from "./database.ts";
import { findMessages } from "./search.ts";
import { findSorted, type Place } from "./sorted.ts";

/** How long one page is looked for; what finds little goes on with the next one. */
const PAGE_MS = 100;

/** A page of a list, with the cursor of the next one. */
export function pageOf(
  database: Database,
  { filter, limit, order = "newest", cursor }: ListRequest,
): { readonly sequences: readonly number[]; readonly cursor: string | null } {
  if (order !== "newest" && order !== "oldest") {
    const after = cursor === undefined ? null : placeOf(cursor);
    const page = findSorted(database, { filter, limit, order, after });
    const next = page.after === null ? null : `${page.after.value}.${page.after.key}`;
    return { sequences: page.sequences, cursor: next };
  }
  const after = cursor === undefined ? null : Number.parseInt(cursor);
  const page = findMessages(database, {
    filter,
    range: { after, limit, isUpward: order === "oldest", withinMs: PAGE_MS },
  });
  return { sequences: page.sequences, cursor: page.after === null ? null : String(page.after) };
}

/** Where a page ended; the cursor of another order begins somewhere and does no harm. */
function placeOf(cursor: string): Place {
  const [value = 0, key = 0] = cursor.split(".").map((part) => Number.parseInt(part) || 0);
  return { value, key };
}
