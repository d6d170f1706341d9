import { mailbox, table } from "../fields.ts";

/** Delivery status notifications (RFC 3464). */
export interface NotificationsConfig {
  /** The address in their From field; the envelope has the null reverse-path. */
  readonly from: string;
}

/** The `[notifications]` table. */
export const notificationsSchema = table({
  from: mailbox().optional()
    .describe("Address in the From field; MAILER-DAEMON at the relay's hostname where not given."),
}).prefault({}).describe("Delivery status notifications.");

export function notificationsConfig({ from }: { from: string }): NotificationsConfig {
  return { from };
}
