import type { z } from "zod";
import { count, duration, flag, oneOf, table } from "../fields.ts";
import { durationMs } from "../units.ts";
import { type TreatmentConfig, treatmentConfig, treatmentKeys } from "./treatment.ts";

const DIALOGUES = ["all", "failed", "none"] as const;

/** How hard destinations are worked. */
export interface DeliveryConfig {
  /** Attempts under way at once over all destinations. */
  readonly maxConcurrency: number;
  /** Attempts at once to a destination nothing is known of; grows with success. */
  readonly initialConcurrency: number;
  /** How long a destination is left alone after its first failure; doubles with each one. */
  readonly downMs: number;
  /** The longest time it is left alone. */
  readonly maxDownMs: number;
  /** Whether replies of the well-known providers are taken for what they mean. */
  readonly knownReplies: boolean;
  /** Attempts whose dialogue stays with the message. */
  readonly dialogues: typeof DIALOGUES[number];
  /** Whether what domains name for their TLS policies and reports may be at private addresses. */
  readonly privateWebHosts: boolean;
  /** What becomes of all mail, before each route's own treatment; null when it is delivered. */
  readonly treatment: TreatmentConfig | null;
}

/** The `[delivery]` table. */
export const deliverySchema = table({
  ...treatmentKeys,
  max_concurrency: count().default(500)
    .describe("Concurrent attempts over all destinations."),
  initial_concurrency: count().default(5)
    .describe("Concurrent attempts to a new destination; grows with success."),
  down: duration({ minMs: 1 }).default("30s")
    .describe(
      "How long a destination gets no attempt after its first failure; doubles with each " +
        "further failure.",
    ),
  max_down: duration({ minMs: 1 }).default("10m").describe("Longest such pause."),
  known_replies: flag().default(true)
    .describe("Classify well-known replies of large providers by their meaning."),
  dialogues: oneOf(DIALOGUES).default("all")
    .describe(
      "Attempts whose SMTP or HTTP transcript is kept with the message: all, failed or none.",
    ),
  private_web_hosts: flag().default(false).describe(
    "Allow MTA-STS policy hosts and TLS report addresses, which any domain can name, at " +
      "private, loopback or link-local addresses.",
  ),
}).prefault({}).describe("Delivery: mode, concurrency and pauses.");

export function deliveryConfig(doc: z.output<typeof deliverySchema>): DeliveryConfig {
  return {
    maxConcurrency: doc.max_concurrency,
    initialConcurrency: doc.initial_concurrency,
    downMs: durationMs(doc.down),
    maxDownMs: durationMs(doc.max_down),
    knownReplies: doc.known_replies,
    dialogues: doc.dialogues,
    privateWebHosts: doc.private_web_hosts,
    treatment: treatmentConfig(doc),
  };
}
