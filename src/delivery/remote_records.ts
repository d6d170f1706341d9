import { remoteIdRecord } from "../queue/remote_ids.ts";
import type { RecipientRecord, ShelfRecord } from "../queue/store.ts";
import type { Outcome } from "./transport.ts";

/** The records by which a message is found by what next hops call it since an attempt. */
export function remoteRecords(
  messageId: string,
  { verdict: { recipients, outcomes }, nowMs }: {
    verdict: {
      readonly recipients: readonly RecipientRecord[];
      readonly outcomes: readonly Outcome[];
    };
    nowMs: number;
  },
): ShelfRecord[] {
  const named = new Map<string, number[]>();
  outcomes.forEach((outcome, position) => {
    const index = recipients[position]?.index;
    if (outcome.kind !== "delivered" || outcome.remoteId === undefined) return;
    if (index === undefined) return;
    const known = named.get(outcome.remoteId);
    if (known === undefined) named.set(outcome.remoteId, [index]);
    else known.push(index);
  });
  return [...named].map(([remoteId, indexes]) =>
    remoteIdRecord(remoteId, { messageId, recipients: indexes, nowMs })
  );
}
