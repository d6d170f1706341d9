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
    .describe("Whether domains that ask for it are told daily how TLS to their servers went."),
  from: mailbox().optional()
    .describe("Sender of the reports; postmaster at the relay's hostname where not given."),
  organization: text({ expected: "a name", isValid: (value) => value !== "" }).optional()
    .describe("Who reports; the relay's hostname where not given."),
}).prefault({}).describe("Daily reports of TLS (RFC 8460).");

export function tlsReportsConfig(doc: z.output<typeof tlsReportsSchema>): TlsReportsConfig {
  return { send: doc.send, from: doc.from ?? null, organization: doc.organization ?? null };
}
