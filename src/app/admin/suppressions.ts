import type { SuppressionsPort } from "../../admin/ports.ts";
import type { EventSink } from "../../observe/events.ts";
import type { SuppressionList } from "../../queue/suppressions.ts";

/** The suppression list for operators, whose changes are events. */
export function suppressionsPort(
  list: SuppressionList,
  { events }: { events: EventSink },
): SuppressionsPort {
  return {
    list: (request) => list.list(request),
    async add({ by, ...suppression }) {
      await list.add({ ...suppression, source: by });
      events({ type: "operated", by, action: "suppressed", target: suppression.address });
    },
    async remove(address, { by }) {
      const isRemoved = await list.remove(address);
      if (isRemoved) events({ type: "operated", by, action: "unsuppressed", target: address });
      return isRemoved;
    },
  };
}
