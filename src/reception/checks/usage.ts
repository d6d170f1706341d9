import type { UsageKind } from "../../policy/limits/usage_table.ts";
import { refusalIn, type SyncCheck } from "../check.ts";

/** Refuses while a client, or all of the listener, have too much of `kind`; counts nothing. */
export function usageBelow<Request>(kind: UsageKind, name: string): SyncCheck<Request> {
  return {
    name,
    about: `${kind} in a time`,
    judge: ({ facts: { clientAddress } }, { usage, clock }) =>
      usage === null ? null : refusalIn(usage.judge(clientAddress, { kind, nowMs: clock.now() })),
  };
}

/** The same, and counts one more: what a client tries counts, not what it gets. */
export function usageTaken<Request>(kind: UsageKind, name: string): SyncCheck<Request> {
  return {
    ...usageBelow<Request>(kind, name),
    count: ({ facts: { clientAddress } }, { usage, clock }) =>
      usage?.count(clientAddress, { kind, nowMs: clock.now() }),
  };
}
