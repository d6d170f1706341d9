import type { ListOrder, ListRequest, MessagePage } from "../store.ts";
import { fitting, listItem, type StoredMessage, type StoredRecipient } from "./message.ts";

/** A message that fits, by what it is ordered. */
interface Ranked extends Place {
  readonly message: StoredMessage;
}

/** A place in an order; lower ranks come first. */
interface Place {
  readonly rank: number;
  /** Order of arrival among equals. */
  readonly sequence: number;
}

/** A page of the messages that fit. */
export function pageOf(
  messages: Iterable<StoredMessage>,
  { filter, limit, order = "newest", cursor }: ListRequest,
): MessagePage {
  const ranked: Ranked[] = [];
  for (const message of messages) {
    const fit = fitting(message, filter);
    const rank = fit === null ? null : rankOf(message, { fit, order });
    if (rank !== null) ranked.push({ message, rank, sequence: message.sequence });
  }
  const isUpward = order === "oldest" || order === "next";
  const compare = (a: Place, b: Place): number =>
    a.rank - b.rank || (a.sequence - b.sequence) * (isUpward ? 1 : -1);
  const sorted = ranked.sort(compare);
  const from = cursor === undefined ? 0 : startAfter(sorted, { cursor, compare });
  const page = sorted.slice(from, from + limit);
  const last = page.at(-1);
  const isMore = last !== undefined && sorted.length > from + limit;
  return {
    items: page.map(({ message }) => listItem(message)),
    cursor: isMore ? `${last.rank}.${last.sequence}` : null,
  };
}

function startAfter(
  sorted: readonly Ranked[],
  { cursor, compare }: { cursor: string; compare: (a: Place, b: Place) => number },
): number {
  const [rank = 0, sequence = 0] = cursor.split(".").map(Number);
  const at = sorted.findIndex((one) => compare(one, { rank, sequence }) > 0);
  return at < 0 ? sorted.length : at;
}

/** Null where the order has no place for it. */
function rankOf(
  { sequence, record }: StoredMessage,
  { fit, order }: { fit: readonly StoredRecipient[]; order: ListOrder },
): number | null {
  switch (order) {
    case "newest":
      return -sequence;
    case "oldest":
      return sequence;
    case "largest":
      return -record.facts.sizeBytes;
    case "attempts":
      return -Math.max(...fit.map(({ status }) => status.attempts));
    case "next": {
      const queued = fit.filter(({ status }) => status.state === "queued");
      return queued.length === 0
        ? null
        : Math.min(...queued.map(({ status }) => status.nextAttemptAtMs));
    }
  }
}
