import type { z } from "zod";
import { count, decimal, duration, listOf, oneOf, size, table } from "../fields.ts";
import { durationMs, sizeBytes } from "../units.ts";

/** How messages are kept and when they are tried again. */
export interface QueueConfig {
  readonly store: "sqlite" | "memory";
  /** Larger bodies stand in spool files, smaller ones in the database. */
  readonly spoolThresholdBytes: number;
  /** Waits before the second, third … attempt; the last one repeats. */
  readonly retryMs: readonly number[];
  /** Share of each wait by which it is made longer or shorter at random, 0 to 1. */
  readonly retryJitter: number;
  /** Age at which delivery is given up. */
  readonly expireMs: number;
  /** Age at which the sender is warned once; null for never. */
  readonly delayWarningMs: number | null;
  /** What happens to mail that may have been delivered: send again, ask, or take it for delivered. */
  readonly uncertain: "retry" | "hold" | "deliver";
  /** Recipients worked on at once; the others are only in the store. */
  readonly window: number;
  /** Recipients of one domain among them. */
  readonly windowPerDomain: number;
  /** Octets of message bodies kept in memory with them. */
  readonly windowBodiesBytes: number;
  /** How long a node may be silent before another takes over its work. */
  readonly leaseMs: number;
  /** How long messages are listed after their last recipient is done. */
  readonly keepHistoryMs: number;
  /** How long the octets of messages that failed are kept, to be sent again; 0 for not at all. */
  readonly keepFailedMs: number;
  /** How long a stop waits for sessions and attempts under way. */
  readonly drainTimeoutMs: number;
}

const DEFAULT_RETRY = ["1m", "2m", "5m", "10m", "20m", "40m", "1h", "2h", "4h", "6h"];

/** The `[queue]` table. */
export const queueSchema = table({
  store: oneOf(["sqlite", "memory"]).default("sqlite")
    .describe("Where messages are kept; memory loses them at the end of the process."),
  spool_threshold: size().default("256KiB")
    .describe("Larger bodies stand in spool files, smaller ones in the database."),
  retry: listOf(duration({ minMs: 1000 }), { atLeastOne: "duration" }).default(DEFAULT_RETRY)
    .describe("Waits between attempts; the last one repeats."),
  retry_jitter: decimal({ min: 0, max: 1 }).default(0.1)
    .describe("Share of each wait by which it varies at random."),
  expire: duration({ minMs: 1000 }).default("4d").describe("Age at which delivery is given up."),
  delay_warning: duration().default("4h")
    .describe("Age at which the sender is warned once; 0 for never."),
  uncertain: oneOf(["retry", "hold", "deliver"]).default("retry").describe(
    "When the connection broke after the end of a message, so that it may have been taken: send " +
      "it again, three times at most, then hold it (`retry`); `hold` it for an operator at once; " +
      "or take it for delivered (`deliver`).",
  ),
  window: count().default(2000)
    .describe("Recipients worked on at once; the others are only in the store."),
  window_per_domain: count().default(500).describe("Recipients of one domain among them."),
  window_bodies: size({ minBytes: 1 }).default("32MiB")
    .describe("Memory for the bodies of small messages being worked on."),
  lease: duration({ minMs: 5000 }).default("5m")
    .describe("How long a node may be silent before another takes over its work."),
  keep_history: duration().default("7d")
    .describe("How long messages are listed after their last recipient is done."),
  keep_failed: duration().default("3d").describe(
    "How long messages that failed are kept whole, so that they can be sent again; 0 for not.",
  ),
  drain_timeout: duration().default("30s")
    .describe("How long a stop waits for sessions and attempts under way."),
}).prefault({}).describe("How messages are kept and tried again.");

export function queueConfig(doc: z.output<typeof queueSchema>): QueueConfig {
  const delayWarningMs = durationMs(doc.delay_warning);
  return {
    store: doc.store,
    spoolThresholdBytes: sizeBytes(doc.spool_threshold),
    retryMs: doc.retry.map(durationMs),
    retryJitter: doc.retry_jitter,
    expireMs: durationMs(doc.expire),
    delayWarningMs: delayWarningMs === 0 ? null : delayWarningMs,
    uncertain: doc.uncertain,
    window: doc.window,
    windowPerDomain: doc.window_per_domain,
    windowBodiesBytes: sizeBytes(doc.window_bodies),
    leaseMs: durationMs(doc.lease),
    keepHistoryMs: durationMs(doc.keep_history),
    keepFailedMs: durationMs(doc.keep_failed),
    drainTimeoutMs: durationMs(doc.drain_timeout),
  };
}
