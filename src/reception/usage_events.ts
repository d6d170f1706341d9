import type { Clock } from "../base/clock.ts";
import type { EventSink } from "../observe/events.ts";
import type { UsageLimits } from "../policy/limits/usage_limits.ts";

/**
 * Counts for the checks what is only known after them: the errors of a client, and the octets that
 * were accepted from it.
 */
export function countingEvents(
  events: EventSink,
  { usage, clock }: { usage: UsageLimits; clock: Clock },
): EventSink {
  return (event) => {
    if (event.type === "command_refused" || event.type === "refused") {
      usage.count(event.clientAddress, { kind: "errors", nowMs: clock.now() });
    } else if (event.type === "accepted") {
      const amount = event.sizeBytes;
      usage.count(event.clientAddress, { kind: "bytes", nowMs: clock.now(), amount });
    }
    events(event);
  };
}
