import type { RelayEvent } from "./events.ts";

/** The severities that events have, the least one first. */
export const EVENT_LEVELS = ["debug", "info", "warning", "error"] as const;
export type EventLevel = typeof EVENT_LEVELS[number];

const LEVELS: Readonly<Record<Exclude<RelayEvent["type"], "trouble">, EventLevel>> = {
  session_opened: "debug",
  session_closed: "debug",
  session_secured: "debug",
  authenticated: "info",
  client_named: "info",
  command_refused: "info",
  accepted: "info",
  refused: "info",
  delivered: "info",
  deferred: "info",
  uncertain: "warning",
  bounced: "warning",
  expired: "warning",
  suppressed: "info",
  feedback: "info",
  notified: "info",
  held: "info",
  released: "info",
  retried: "info",
  cancelled: "info",
  returned: "info",
  rerouted: "info",
  readdressed: "info",
  deleted: "info",
  destination_down: "warning",
  destination_up: "info",
  listening: "info",
  started: "info",
  reloaded: "info",
  draining: "info",
  stopped: "info",
  operated: "info",
};

/** How much an operator should care: warnings are for mail that is lost or late. */
export function levelOf(event: RelayEvent): EventLevel {
  return event.type === "trouble" ? event.level : LEVELS[event.type];
}
