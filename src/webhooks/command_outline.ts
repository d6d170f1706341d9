import type { EventOutline } from "../queue/outbox.ts";

/**
 * What is told of each message that an operator holds; null for other commands, whose effects are
 * told when they come.
 */
export function commandOutline(kind: string, by: string): EventOutline | null {
  return kind === "hold" ? { type: "held", detail: { by, reason: "" } } : null;
}
