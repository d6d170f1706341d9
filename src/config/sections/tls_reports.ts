import type { z } from "zod";
import { flag, mailbox, table, text } from "../fields.ts";

/** Daily reports to the domains that mail goes to (RFC 8460). */
export interface TlsReportsConfig {
  readonly send: boolean;
  /** The mailbox they come from; null for postmaster at the relay's own name. */
  readonly from: string | null;
  /** Null for the relay's own name. */
  readonly organization: string | null;
}

/** The `[tls_reports]` table. */
export const tlsReportsSchema = table({
  send: flag().default(false)
    .describe("Send daily TLS reports to domains that request them."),
  from: mailbox().optional()
    .describe("Sender of the reports. Default: postmaster at the relay's hostname."),
  organization: text({ expected: "a name", isValid: (value) => value !== "" }).optional()
    .describe("Organization in the reports. Default: the relay's hostname."),
}).prefault({}).describe("Daily TLS reports (RFC 8460).");

export function tlsReportsConfig(doc: z.output<typeof tlsReportsSchema>): TlsReportsConfig {
  return { send: doc.send, from: doc.from ?? null, organization: doc.organization ?? null };
}
