import type { z } from "zod";
import { flag, table } from "../fields.ts";

/** What each switch does, by the EHLO keyword in lower case with "_" for "-". */
const SWITCHES = {
  pipelining: "PIPELINING: commands in groups (RFC 2920).",
  size: "SIZE: declares sizes and their limit (RFC 1870).",
  "8bitmime": "8BITMIME: octets above 127 (RFC 6152).",
  smtputf8: "SMTPUTF8: non-ASCII addresses (RFC 6531). Requires 8bitmime.",
  enhancedstatuscodes: "ENHANCEDSTATUSCODES: announces enhanced status codes (RFC 2034).",
  dsn: "DSN: notifications that the sender requests (RFC 3461).",
  chunking: "CHUNKING: messages by BDAT (RFC 3030).",
  binarymime: "BINARYMIME: messages of arbitrary octets (RFC 3030). Requires chunking.",
  deliverby: "DELIVERBY: delivery deadlines (RFC 2852).",
  futurerelease:
    "FUTURERELEASE: deferred release for clients that may relay to any domain (RFC 4865).",
  mt_priority: "MT-PRIORITY: priorities (RFC 6710).",
  requiretls: "REQUIRETLS: deliver over TLS or not at all (RFC 8689).",
  limits: "LIMITS: announces limits (RFC 9422).",
  etrn: "ETRN: starts the queue of a domain, for clients that may relay to any domain (RFC 1985).",
  expn: "EXPN: lists the members of aliases, for clients that may relay to any domain.",
  vrfy: "VRFY: answers from aliases. If off, the reply is always 252.",
  help: "HELP.",
} as const;

type SwitchName = keyof typeof SWITCHES;

/** The `[listeners.extensions]` table. */
export const extensionsSchema = table(
  Object.fromEntries(
    Object.entries(SWITCHES).map(([name, about]) => [name, flag().default(true).describe(about)]),
  ) as Record<SwitchName, ReturnType<typeof switchField>>,
).prefault({}).describe("SMTP extensions to offer.");

function switchField() {
  return flag().default(true);
}

/** The EHLO keywords that are switched off. */
export function disabledExtensions(doc: z.output<typeof extensionsSchema>): string[] {
  return Object.entries(doc).filter(([, isOn]) => !isOn)
    .map(([name]) => name.toUpperCase().replaceAll("_", "-"));
}
