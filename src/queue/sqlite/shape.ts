import {
  crowdsOf,
  type DomainCrowd,
  firstSlots,
  type QueueShape,
  SHAPE_SLOT_MS,
  type ShapeRequest,
  type ShapeRow,
  together,
} from "../shape.ts";
import { ALL_DOMAINS, stateAt } from "./counters.ts";
import type { Database } from "./database.ts";

type Row = [state: number, reason: string, slot: number, count: number];

/** Makes the function that tells what waits. */
export function shapeReader(database: Database): (request: ShapeRequest) => QueueShape {
  const selectRows = database.prepare<Row>(
    "SELECT state, reason, slot, n FROM queue_shape WHERE domain = ? AND n > 0",
  );
  // One pass: all domains are counted while the largest are found.
  const selectLargest = database.prepare<[domain: string, domainCount: number]>(
    `WITH totals AS MATERIALIZED (
       SELECT domain, sum(n) AS total FROM queue_shape WHERE domain <> '${ALL_DOMAINS}'
       GROUP BY domain)
     SELECT domain, (SELECT count(*) FROM totals) FROM totals
     ORDER BY total DESC, domain LIMIT ?`,
  );
  const crowds = (domain: string, slots: readonly number[]) =>
    crowdsOf(selectRows.all(domain).map(shapeRow), slots);

  return (request) => {
    const slots = firstSlots(request);
    const classes = slots.length + 1;
    const { domain } = request;
    // At least one row brings the number of all of them.
    const largest = domain === undefined ? selectLargest.all(Math.max(1, request.limit)) : [];
    const names = domain === undefined
      ? largest.slice(0, request.limit).map(([name]) => name)
      : [domain];
    const domains = names.flatMap((name): DomainCrowd[] => {
      const reasons = crowds(name, slots);
      return reasons.length === 0 ? [] : [{ domain: name, ...together(reasons, classes), reasons }];
    });
    const reasons = domain === undefined ? crowds(ALL_DOMAINS, slots) : domains[0]?.reasons ?? [];
    const domainCount = domain === undefined ? largest[0]?.[1] ?? 0 : domains.length;
    const sinceMs = slots.map((slot) => slot * SHAPE_SLOT_MS);
    return { sinceMs, ...together(reasons, classes), reasons, domainCount, domains };
  };
}

function shapeRow([state, reason, slot, count]: Row): ShapeRow {
  return { state: stateAt(state) === "queued" ? "queued" : "held", reason, slot, count };
}
