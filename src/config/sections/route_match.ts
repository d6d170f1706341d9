import { z } from "zod";
import { domainPattern, listOf, size, table, text, wholeNumber } from "../fields.ts";
import { sizeBytes } from "../units.ts";

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
  readonly user?: readonly string[];
  /** Header fields, names in lower case; all must fit. */
  readonly header?: readonly { readonly name: string; readonly patterns: readonly string[] }[];
  readonly minSizeBytes?: number;
  readonly maxSizeBytes?: number;
  readonly minPriority?: number;
  readonly maxPriority?: number;
}

const PRIORITY = { min: -9, max: 9 }; // RFC 6710 section 4.1

/** A mail address with wildcards. */
export function mailboxPattern(): z.ZodString {
  return text({
    expected: `a mail address, in which "*" stands for any text`,
    isValid: (value) => /^[^\s<>]*$/.test(value),
  });
}

const fieldName = z.string().regex(/^[!-9;-~]+$/, { error: "the name of a header field" });

const headerPatterns = z.record(
  fieldName,
  listOf(text({ expected: `text, in which "*" stands for any text` }), { atLeastOne: "pattern" }),
  { error: "a table of header fields" },
);

/** The `match` table of a route. */
export const routeMatchSchema = table({
  recipient_domain: listOf(domainPattern(), { atLeastOne: "domain" }).optional()
    .describe("Recipient domains; *.example.net for subdomains."),
  recipient: listOf(mailboxPattern(), { atLeastOne: "mail address" }).optional()
    .describe("Recipients; * matches any text."),
  sender: listOf(mailboxPattern(), { atLeastOne: "mail address" }).optional()
    .describe("Reverse-paths; * matches any text, an empty one is the null reverse-path."),
  listener: listOf(text({ expected: "the name of a listener" }), { atLeastOne: "listener" })
    .optional().describe(
      "Listeners that accepted the message; local is mail that the relay itself writes.",
    ),
  user: listOf(text({ expected: "the name of a user" }), { atLeastOne: "user" }).optional()
    .describe("Authenticated users."),
  header: headerPatterns.optional().describe(
    "Header fields with accepted values; all fields must match. * matches any text.",
  ),
  min_size: size().optional().describe("Smallest size in octets."),
  max_size: size().optional().describe("Largest size in octets."),
  min_priority: wholeNumber(PRIORITY).optional()
    .describe("Lowest priority (RFC 6710); mail without one has 0."),
  max_priority: wholeNumber(PRIORITY).optional().describe("Highest priority."),
}).prefault({}).describe(
  "Conditions of the route; all keys must match. Without keys, every message matches.",
);

export function routeMatchConfig(doc: z.output<typeof routeMatchSchema>): RouteMatchConfig {
  const { recipient, sender, listener, user } = doc;
  const header = Object.entries(doc.header ?? {})
    .map(([name, patterns]) => ({ name: name.toLowerCase(), patterns }));
  return given({
    recipientDomain: doc.recipient_domain,
    ...{ recipient, sender, listener, user },
    header: header.length === 0 ? undefined : header,
    minSizeBytes: doc.min_size === undefined ? undefined : sizeBytes(doc.min_size),
    maxSizeBytes: doc.max_size === undefined ? undefined : sizeBytes(doc.max_size),
    minPriority: doc.min_priority,
    maxPriority: doc.max_priority,
  });
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** The keys that have a value. */
function given<T extends object>(values: T): Given<T> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}
