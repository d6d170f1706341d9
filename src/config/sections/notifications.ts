import type { z } from "zod";
import { duration, mailbox, size, table } from "../fields.ts";
import { durationMs, sizeBytes } from "../units.ts";

/** Delivery status notifications (RFC 3464). */
export interface NotificationsConfig {
  /** Mailbox that is notified of failures of mail without a reverse-path; null for none. */
  readonly postmaster: string | null;
  /** Larger messages are returned as their header section. */
  readonly returnLimitBytes: number;
  /** How long the delivery of a notification is tried. */
  readonly expireMs: number;
}

/** The `[notifications]` table. */
export const notificationsSchema = table({
  postmaster: mailbox().optional()
    .describe(
      "Mailbox that gets notifications of failed mail with a null reverse-path. Default: none " +
        "are sent.",
    ),
  return_limit: size().default("64KiB")
    .describe("Larger messages are returned as their header section only."),
  expire: duration({ minMs: 1000 }).default("4d")
    .describe("How long delivery of a notification is attempted."),
}).prefault({}).describe("Delivery status notifications (DSN).");

export function notificationsConfig(
  doc: z.output<typeof notificationsSchema>,
): NotificationsConfig {
  return {
    postmaster: doc.postmaster ?? null,
    returnLimitBytes: sizeBytes(doc.return_limit),
    expireMs: durationMs(doc.expire),
  };
}
