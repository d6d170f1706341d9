import type { z } from "zod";
import { flag, table } from "../fields.ts";

/** What each switch does, by the EHLO keyword in lower case with "_" for "-". */
const SWITCHES = {
  pipelining: "PIPELINING, commands in groups (RFC 2920).",
  size: "SIZE, the limit and the announcement of sizes (RFC 1870).",
  "8bitmime": "8BITMIME, octets above 127 (RFC 6152).",
  smtputf8: "SMTPUTF8, addresses outside ASCII (RFC 6531); needs 8bitmime.",
  enhancedstatuscodes: "ENHANCEDSTATUSCODES, the announcement of status codes (RFC 2034).",
  dsn: "DSN, what the sender wants to be told (RFC 3461).",
  chunking: "CHUNKING, messages by BDAT (RFC 3030).",
  binarymime: "BINARYMIME, messages of any octets (RFC 3030); needs chunking.",
  deliverby: "DELIVERBY, deadlines (RFC 2852).",
  futurerelease: "FUTURERELEASE, mail held for clients that may send to anyone (RFC 4865).",
  mt_priority: "MT-PRIORITY, priorities (RFC 6710).",
  requiretls: "REQUIRETLS, mail that goes over TLS or not at all (RFC 8689).",
  limits: "LIMITS, the announcement of limits (RFC 9422).",
  etrn: "ETRN, the start of a queue by clients that may send to anyone (RFC 1985).",
  expn: "EXPN, the members of aliases for clients that may send to anyone.",
  vrfy: "VRFY by the aliases; without it, the answer is always 252.",
  help: "HELP.",
} as const;

type SwitchName = keyof typeof SWITCHES;

/** The `[listeners.extensions]` table. */
export const extensionsSchema = table(
  Object.fromEntries(
    Object.entries(SWITCHES).map(([name, about]) => [name, flag().default(true).describe(about)]),
  ) as Record<SwitchName, ReturnType<typeof switchField>>,
).prefault({}).describe("The SMTP extensions that are offered.");

function switchField() {
  return flag().default(true);
}

/** The EHLO keywords that are switched off. */
export function disabledExtensions(doc: z.output<typeof extensionsSchema>): string[] {
  return Object.entries(doc).filter(([, isOn]) => !isOn)
    .map(([name]) => name.toUpperCase().replaceAll("_", "-"));
}
