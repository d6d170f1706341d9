import type { Clock } from "../base/clock.ts";
import type { EventSink } from "../observe/events.ts";
import type { Decision } from "../policy/decision.ts";
import type { UsageLimits } from "../policy/limits/usage_limits.ts";
import type { UsageKind } from "../policy/limits/usage_table.ts";
import type { ServerPolicy, SessionFacts } from "../smtp/server/policy.ts";
import type { StoreGuard } from "./store_guard.ts";

/** What stands around the rules of a listener. */
export interface PolicyLimits {
  readonly usage: UsageLimits;
  readonly store: StoreGuard;
  readonly clock: Clock;
}

/** Asks the limits before the rules: what a client tries counts, not what it gets. */
export function limitedPolicy(
  policy: ServerPolicy,
  { usage, store, clock }: PolicyLimits,
): ServerPolicy {
  const take = ({ clientAddress }: SessionFacts, kind: UsageKind): Decision =>
    usage.take(clientAddress, { kind, nowMs: clock.now() });
  const takeUnless = (facts: SessionFacts, full: UsageKind, kind: UsageKind): Decision => {
    const decision = usage.judge(facts.clientAddress, { kind: full, nowMs: clock.now() });
    return decision.kind === "refuse" ? decision : take(facts, kind);
  };
  return {
    ...policy,
    connect: (facts) => {
      const decision = takeUnless(facts, "errors", "connections");
      return decision.kind === "refuse" ? decision : policy.connect(facts);
    },
    command: (facts) => takeUnless(facts, "errors", "commands"),
    mail: (facts, request) => {
      const stored = store.judge();
      const decision = stored.kind === "refuse" ? stored : takeUnless(facts, "bytes", "messages");
      return decision.kind === "refuse" ? decision : policy.mail(facts, request);
    },
    rcpt: (facts, request) => {
      const decision = take(facts, "recipients");
      return decision.kind === "refuse" ? decision : policy.rcpt(facts, request);
    },
  };
}

/** Counts what is only known afterwards: what was refused, and what was accepted. */
export function countingEvents(
  events: EventSink,
  { usage, clock }: Pick<PolicyLimits, "usage" | "clock">,
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
