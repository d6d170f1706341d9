import type { Config } from "../config/schema.ts";

const FIXED: readonly (readonly [key: string, pick: (config: Config) => unknown])[] = [
  ["data_dir", ({ dataDir }) => dataDir],
  ["queue.store", ({ queue }) => queue.store],
  ["queue.window", ({ queue }) => [queue.window, queue.windowPerDomain]],
  ["queue.window_bodies", ({ queue }) => queue.windowBodiesBytes],
  ["queue.keep_failed", ({ queue }) => queue.keepFailedMs > 0],
  ["queue.lease", ({ queue }) => queue.leaseMs],
  [
    "delivery",
    ({ delivery: { treatment: _, knownReplies: __, dialogues: ___, ...limits } }) => limits,
  ],
  ["tls_reports", ({ tlsReports }) => tlsReports],
  ["dns", ({ dns }) => dns],
  ["log", ({ log }) => log],
];

/** Keys whose change has no effect on a running relay. */
export function restartNeeds(before: Config, after: Config): string[] {
  return FIXED.filter(([, pick]) => !isSame(pick(before), pick(after))).map(([key]) => key);
}

/** Whether two parts of configurations say the same. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
