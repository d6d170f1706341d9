import type { z } from "zod";
import { domainPattern, flag, listOf, table, text } from "../fields.ts";

/** One rule of the ordered list that finds the way out for a recipient. */
export interface RouteConfig {
  readonly name: string;
  /** Keys that are present must all fit; an empty match fits everything. */
  readonly match: RouteMatchConfig;
  /** Names of transports in the order in which they are tried; at least one. */
  readonly transports: readonly string[];
  /** Whether a message rather takes the next transport than lose something to a conversion. */
  readonly rawOnly: boolean;
}

/** What a route looks at; the patterns of one key are alternatives. */
export interface RouteMatchConfig {
  /** `example.net`, `*.example.net` or `*`. */
  readonly recipientDomain?: readonly string[];
  /** Whole mailboxes; `*` stands for any run of characters. */
  readonly recipient?: readonly string[];
  /** As `recipient`; an empty pattern is the null reverse-path. */
  readonly sender?: readonly string[];
  /** Names of listeners; `local` is mail the relay itself made. */
  readonly listener?: readonly string[];
}

function mailboxPattern(): z.ZodString {
  return text({
    expected: `a mail address, in which "*" stands for any text`,
    isValid: (value) => /^[^\s<>]*$/.test(value),
  });
}

const match = table({
  recipient_domain: listOf(domainPattern(), { atLeastOne: "domain" }).optional()
    .describe("Domains of recipients; *.example.net for subdomains."),
  recipient: listOf(mailboxPattern(), { atLeastOne: "mail address" }).optional()
    .describe("Recipients; * stands for any text."),
  sender: listOf(mailboxPattern(), { atLeastOne: "mail address" }).optional()
    .describe("Reverse-paths; * stands for any text, an empty one is the null reverse-path."),
  listener: listOf(text({ expected: "the name of a listener" }), { atLeastOne: "listener" })
    .optional().describe("Listeners that took the message; local for the relay's own mail."),
}).prefault({}).describe("What the route is for; all keys must fit, none fits everything.");

const route = table({
  name: text({ expected: "a name", isValid: (value) => value !== "" }).optional()
    .describe("Names the route in logs; route-1, route-2 … where not given."),
  match,
  transports: listOf(text({ expected: "the name of a transport" }), { atLeastOne: "transport" })
    .describe("Names of transports in the order in which they are tried."),
  raw_only: flag().default(false).describe(
    "Whether a message that a transport would have to change takes the next one instead.",
  ),
});

/** The `[[routes]]` tables, the first that fits wins. */
export const routesSchema = listOf(route, { atLeastOne: "[[routes]] table" }).optional()
  .describe(
    "Which way out a recipient takes; the first that fits. " +
      "Where not given, everything goes to the only transport.",
  );

export function routeConfig(doc: z.output<typeof route>, index: number): RouteConfig {
  const { recipient_domain: recipientDomain, recipient, sender, listener } = doc.match;
  return {
    name: doc.name ?? `route-${index + 1}`,
    match: {
      ...(recipientDomain === undefined ? {} : { recipientDomain }),
      ...(recipient === undefined ? {} : { recipient }),
      ...(sender === undefined ? {} : { sender }),
      ...(listener === undefined ? {} : { listener }),
    },
    transports: doc.transports,
    rawOnly: doc.raw_only,
  };
}
