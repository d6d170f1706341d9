import type { DomainCrowd, QueueShape } from "../queue/store.ts";
import type { DestinationStatus, QueuePort } from "./ports.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Upper ends of the age classes in which people look at a queue. */
export const AGES_MS: readonly number[] = [
  5 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  24 * HOUR_MS,
];

/** Of so many domains the numbers come with one question; others are asked for one by one. */
const TOGETHER = 1_000;

/**
 * How many recipients wait in the queue for each destination, however many the scheduler has claimed;
 * null for a destination that is no domain: which mail goes there is known when it is tried.
 */
export async function queuedFor(
  queue: Pick<QueuePort, "shape">,
  { destinations, nowMs }: { destinations: readonly DestinationStatus[]; nowMs: number },
): Promise<(destination: DestinationStatus) => number | null> {
  const common = { nowMs, agesMs: [] };
  const { domains, domainCount } = await queue.shape({ ...common, limit: TOGETHER });
  const counts = new Map(domains.map(({ domain, recipients }) => [domain, recipients]));
  if (domainCount > domains.length) {
    const names = new Set(destinations.filter(({ isDomain }) => isDomain).map(({ name }) => name));
    const missing = [...names].filter((name) => !counts.has(name));
    const shapes = await Promise.all(
      missing.map((domain) => queue.shape({ ...common, limit: 1, domain })),
    );
    missing.forEach((name, at) => counts.set(name, shapes[at]?.recipients ?? 0));
  }
  return ({ name, isDomain }) => isDomain ? counts.get(name) ?? 0 : null;
}

/** The domains for which the most recipients wait, with their age. */
export function queueShape(
  queue: Pick<QueuePort, "shape">,
  { nowMs, limit }: { nowMs: number; limit: number },
): Promise<QueueShape> {
  return queue.shape({ nowMs, agesMs: AGES_MS, limit });
}

/** Why the most recipients of a domain wait, in a few words. */
export function mainReason({ reasons }: DomainCrowd): string {
  return reasons.map(({ state, reason, recipients }) =>
    `${recipients} ${reasonWords(state, reason)}`
  )
    .slice(0, 3).join(", ");
}

/** `not tried yet`, `after 451 4.7.1`, `held`: why a recipient waits. */
export function reasonWords(state: "queued" | "held", reason: string): string {
  if (state === "held") return reason === "" ? "held" : `held, last ${wordsOf(reason)}`;
  return reason === "" ? "not tried yet" : `after ${wordsOf(reason)}`;
}

function wordsOf(reason: string): string {
  return reason === "other" ? "an answer without a code" : reason;
}
