import type { z } from "zod";
import { duration, flag, hostname, listOf, mailbox, table, text, wholeNumber } from "../fields.ts";
import { secret } from "../secrets.ts";
import { durationMs } from "../units.ts";

/** What becomes of bounces and complaints that come back to the relay. */
export interface BouncesConfig {
  /** Domains of the return addresses that mail leaves from; empty for none. */
  readonly domains: readonly string[];
  /** Signs return addresses; not empty where there are domains. */
  readonly key: string;
  /** Still recognizes what it signed; null for none. */
  readonly oldKey: string | null;
  /** How long after its arrival reports of a message are taken at its return addresses. */
  readonly addressLifetimeMs: number;
  /** Transports whose mail leaves from return addresses; null for all that speak SMTP. */
  readonly transports: readonly string[] | null;
  /** Patterns of mailboxes whose mail does; empty for all. */
  readonly senders: readonly string[];
  /** Mailboxes that bounces and complaints come to besides. */
  readonly mailboxes: readonly string[];
  /** Whether what came back goes on to the sender of the message. */
  readonly forward: boolean;
  /** Whether mailboxes that a next hop refuses at delivery are suppressed as well. */
  readonly refusals: boolean;
  /** For how long a mailbox is suppressed; null for ever. */
  readonly suppressForMs: number | null;
  readonly suppressComplaintsForMs: number | null;
  readonly suppressSoftForMs: number | null;
  /** How many soft bounces within the window suppress a mailbox; 0 for never. */
  readonly softLimit: number;
  readonly softWindowMs: number;
}

/** Shorter keys can be tried out. */
const LEAST_KEY_CHARS = 16;

function key(): z.ZodString {
  return text({
    expected: `a secret of at least ${LEAST_KEY_CHARS} characters`,
    isValid: (value) => value.length >= LEAST_KEY_CHARS,
  });
}

/** The `[bounces]` table. */
export const bouncesSchema = table({
  domains: listOf(hostname()).default([]).describe(
    "Domains of return addresses (VERP), whose MX is this relay. Of several, the one closest " +
      "to the sender's domain is used. Empty: mail keeps its sender's reverse-path.",
  ),
  key: secret(key()).optional()
    .describe("Key that signs return addresses. Required with domains."),
  old_key: secret(key()).optional()
    .describe("Previous key; return addresses signed with it are still accepted."),
  address_lifetime: duration({ minMs: 60_000 }).default("30d")
    .describe("How long after a message was accepted its return addresses are accepted."),
  transports: listOf(text({ expected: "the name of a transport", isValid: (name) => name !== "" }))
    .optional().describe(
      "Transports whose mail gets return addresses. Default: all of type mx and smarthost.",
    ),
  senders: listOf(text({
    expected: `a mail address such as "news@example.net"; * matches any text`,
    isValid: (value) => /^[^\s<>]*@[^\s<>@]+$/.test(value),
  })).default([])
    .describe(
      "Senders whose mail gets return addresses; * matches any text. Default: all.",
    ),
  mailboxes: listOf(mailbox()).default([])
    .describe(
      "Other mailboxes that receive bounces, and complaints of providers (feedback loops).",
    ),
  forward: flag().default(true)
    .describe("Forward bounces to the sender of the message."),
  refusals: flag().default(false).describe(
    "Also count a permanent refusal at delivery as a bounce, if it is about the mailbox.",
  ),
  suppress_for: duration().default("180d")
    .describe("How long a hard bounce suppresses a recipient; 0 for ever."),
  suppress_complaints_for: duration().default("0s")
    .describe("How long a complaint suppresses a recipient; 0 for ever."),
  soft_limit: wholeNumber({ min: 0, max: 1000 }).default(5)
    .describe("Soft bounces within soft_window that suppress a recipient; 0 disables this."),
  soft_window: duration({ minMs: 60_000 }).default("7d")
    .describe("Time span in which soft bounces are counted."),
  suppress_soft_for: duration().default("14d")
    .describe("How long soft bounces suppress a recipient; 0 for ever."),
}).prefault({}).describe("Processing of bounces and complaints.");

export function bouncesConfig(doc: z.output<typeof bouncesSchema>): BouncesConfig {
  return {
    domains: doc.domains.map((domain) => domain.toLowerCase()),
    key: doc.key ?? "",
    oldKey: doc.old_key ?? null,
    addressLifetimeMs: durationMs(doc.address_lifetime),
    transports: doc.transports ?? null,
    senders: doc.senders,
    mailboxes: doc.mailboxes,
    forward: doc.forward,
    refusals: doc.refusals,
    suppressForMs: orForEver(durationMs(doc.suppress_for)),
    suppressComplaintsForMs: orForEver(durationMs(doc.suppress_complaints_for)),
    suppressSoftForMs: orForEver(durationMs(doc.suppress_soft_for)),
    softLimit: doc.soft_limit,
    softWindowMs: durationMs(doc.soft_window),
  };
}

function orForEver(timeMs: number): number | null {
  return timeMs === 0 ? null : timeMs;
}
