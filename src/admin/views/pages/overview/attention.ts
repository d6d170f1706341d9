import type {
  DestinationStatus,
  HealthCheck,
  StampedEvent,
  StoreStats,
  TransportStatus,
} from "../../../ports.ts";
import { describe } from "../../../../observe/describe.ts";
import { levelOf } from "../../../../observe/event_level.ts";
import { counted } from "../../parts/quantity.ts";
import type { Tone } from "../../parts/state.tsx";

/** Something that may need somebody. */
export interface AttentionItem {
  readonly tone: Extract<Tone, "bad" | "warn" | "hold">;
  readonly title: string;
  readonly detail: string;
  /** Where to see more. */
  readonly address: string;
  /** Since when, or when it happened; null for what has no time. */
  readonly atMs: number | null;
}

/** What the state of the relay is judged by. */
export interface AttentionFacts {
  readonly nowMs: number;
  readonly health: readonly HealthCheck[];
  readonly destinations: readonly DestinationStatus[];
  readonly transports: readonly TransportStatus[];
  readonly stats: StoreStats;
  /** Newest first. */
  readonly events: readonly StampedEvent[];
}

/** Mail that waits longer than this is worth a look. */
export const OLD_MS = 3_600_000;
const EVENT_AGE_MS = 86_400_000;
const MAX_WAYS = 3;
const MAX_EVENTS = 3;

/** What needs somebody, the worst first. */
export function attentionItems(facts: AttentionFacts): AttentionItem[] {
  const items = [
    ...facts.health.filter(({ ok }) => !ok).map(healthItem),
    ...facts.transports.filter(isTroubled).map(transportItem),
    ...destinationItems(facts.destinations.filter(isTroubled)),
    ...troubleItems(facts),
    ...oldMail(facts),
    ...heldMail(facts.stats),
  ];
  const order = ["bad", "warn", "hold"];
  return items.toSorted((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone));
}

function isTroubled({ state }: { readonly state: string }): boolean {
  return state !== "up";
}

function healthItem({ name, detail }: HealthCheck): AttentionItem {
  return { tone: "bad", title: `Not ready: ${name}`, detail, address: "/config", atMs: null };
}

function transportItem(transport: TransportStatus): AttentionItem {
  const { name, state, pause, lastError } = transport;
  const address = `/transports#${encodeURIComponent(name)}`;
  if (pause !== null) {
    const detail = `By ${pause.by}: ${pause.reason}`;
    return {
      tone: "hold",
      title: `Transport ${name} is paused`,
      detail,
      address,
      atMs: pause.sinceMs,
    };
  }
  return {
    tone: "bad",
    title: `Transport ${name} is ${state === "probing" ? "being probed" : "down"}`,
    detail: lastError?.text ?? "",
    address,
    atMs: lastError?.atMs ?? null,
  };
}

function destinationItems(troubled: readonly DestinationStatus[]): AttentionItem[] {
  const worst = troubled.toSorted((a, b) => b.waiting - a.waiting);
  const more = worst.length - MAX_WAYS;
  const items = worst.slice(0, MAX_WAYS).map(destinationItem);
  if (more <= 0) return items;
  return [...items, {
    tone: "warn",
    title: `${counted(more, "more destination")} with problems`,
    detail: "",
    address: "/destinations",
    atMs: null,
  }];
}

function destinationItem(destination: DestinationStatus): AttentionItem {
  const { name, pause, lastError, waiting, transport } = destination;
  const address = `/destinations?text=${encodeURIComponent(name)}`;
  if (pause !== null) {
    const detail = `By ${pause.by}: ${pause.reason}`;
    return { tone: "hold", title: `${name} is paused`, detail, address, atMs: pause.sinceMs };
  }
  return {
    tone: "bad",
    title: `${name} is unreachable by ${transport}`,
    detail: [lastError?.text, waiting > 0 ? `${counted(waiting, "attempt")} waiting` : undefined]
      .filter(Boolean).join(" · "),
    address,
    atMs: lastError?.atMs ?? null,
  };
}

/** The last troubles, each kind once. */
function troubleItems({ events, nowMs }: AttentionFacts): AttentionItem[] {
  const seen = new Set<string>();
  const items: AttentionItem[] = [];
  for (const { event, atMs } of events) {
    if (event.type !== "trouble" || nowMs - atMs > EVENT_AGE_MS) continue;
    const kind = `${event.component} ${event.message}`;
    if (seen.has(kind) || items.length >= MAX_EVENTS) continue;
    seen.add(kind);
    items.push({
      tone: levelOf(event) === "error" ? "bad" : "warn",
      title: `Problem in ${event.component}`,
      detail: describe(event).replace(`${event.component}: `, ""),
      address: event.messageId === undefined
        ? "/log?level=warning"
        : `/messages/${event.messageId}`,
      atMs,
    });
  }
  return items;
}

function oldMail({ stats, nowMs }: AttentionFacts): AttentionItem[] {
  const oldestMs = stats.oldestReceivedAtMs;
  if (oldestMs === null || nowMs - oldestMs < OLD_MS) return [];
  return [{
    tone: "warn",
    title: "Mail has waited for a long time",
    detail: "The oldest pending message was received",
    address: `/queue?minAgeMs=${OLD_MS}`,
    atMs: oldestMs,
  }];
}

function heldMail({ recipients: { held } }: StoreStats): AttentionItem[] {
  if (held === 0) return [];
  return [{
    tone: "hold",
    title: `${counted(held, "recipient")} held`,
    detail: "Release or cancel them.",
    address: "/queue?view=held",
    atMs: null,
  }];
}
