import type { z } from "zod";
import { count, domainPattern, flag, listOf, table, text, wholeNumber } from "../fields.ts";

/** Limits and the mail they are for. Every rule that fits holds. */
export interface ShapingConfig {
  readonly name: string;
  /** Keys that are present must all fit; the patterns of one key are alternatives. */
  readonly match: {
    readonly domain?: readonly string[];
    readonly mx?: readonly string[];
    readonly transport?: readonly string[];
    readonly route?: readonly string[];
  };
  /** Whether all that fits shares the limits. */
  readonly shared: boolean;
  readonly limits: ShapingLimitsConfig;
}

export interface ShapingLimitsConfig {
  readonly concurrency?: number;
  readonly connections?: number;
  readonly recipients?: number;
  /** At most `count` messages in `perMs` milliseconds, each. */
  readonly rates: readonly { readonly count: number; readonly perMs: number }[];
  readonly warmUp?: { readonly startMs: number; readonly perDay: readonly number[] };
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const warmUp = table({
  start: text({
    expected: `a date such as "2026-09-01"`,
    isValid: (value) => dateMs(value) !== null,
  }).describe("First day, in UTC."),
  per_day: listOf(wholeNumber({ min: 1, max: 1_000_000_000 }), { atLeastOne: "number" })
    .describe("Most messages on the first, second … day; no limit after the last one."),
});

const shaping = table({
  name: text({ expected: "a name", isValid: (value) => value !== "" }).optional()
    .describe("Name of the rule in logs. Default: shaping-1, shaping-2 …"),
  domain: listOf(domainPattern(), { atLeastOne: "domain" }).optional()
    .describe("Recipient domains; *.example.net for subdomains."),
  mx: listOf(domainPattern(), { atLeastOne: "host" }).optional()
    .describe("Mail exchangers of the recipient domain; for transports of type mx."),
  transport: listOf(text({ expected: "the name of a transport" }), { atLeastOne: "transport" })
    .optional().describe("Names of transports."),
  route: listOf(text({ expected: "the name of a route" }), { atLeastOne: "route" }).optional()
    .describe("Names of routes."),
  shared: flag().optional().describe(
    "Share the limits among everything that matches. Default: true if the rule names " +
      "anything except *.",
  ),
  concurrency: count().optional().describe("Concurrent attempts."),
  connections: count().optional()
    .describe("Concurrent connections, idle ones included."),
  recipients: count().optional().describe("Recipients of one message in one attempt."),
  messages_per_second: count().optional().describe("Messages in any second."),
  messages_per_minute: count().optional().describe("Messages in any minute."),
  messages_per_hour: count().optional().describe("Messages in any hour."),
  messages_per_day: count().optional().describe("Messages in any 24 hours."),
  warm_up: warmUp.optional().describe(
    "Daily limits that grow while a sender builds its reputation (warm-up).",
  ),
});

/** The `[[shaping]]` tables. */
export const shapingSchema = listOf(shaping).default([])
  .describe("Limits for outgoing mail; every matching rule applies.");

type ShapingDoc = z.output<typeof shaping>;

export function shapingConfig(doc: ShapingDoc, index: number): ShapingConfig {
  const { domain, mx, transport, route } = doc;
  const isSpecific = [domain, mx].some((patterns) => patterns?.every((one) => one !== "*")) ||
    transport !== undefined || route !== undefined;
  return {
    name: doc.name ?? `shaping-${index + 1}`,
    match: {
      ...(domain === undefined ? {} : { domain }),
      ...(mx === undefined ? {} : { mx }),
      ...(transport === undefined ? {} : { transport }),
      ...(route === undefined ? {} : { route }),
    },
    shared: doc.shared ?? isSpecific,
    limits: limitsConfig(doc),
  };
}

function limitsConfig(doc: ShapingDoc): ShapingLimitsConfig {
  const { concurrency, connections, recipients, warm_up: warmUp } = doc;
  const rates = [
    [doc.messages_per_second, SECOND_MS],
    [doc.messages_per_minute, MINUTE_MS],
    [doc.messages_per_hour, HOUR_MS],
    [doc.messages_per_day, DAY_MS],
  ] as const;
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(connections === undefined ? {} : { connections }),
    ...(recipients === undefined ? {} : { recipients }),
    rates: rates.flatMap(([limit, perMs]) => limit === undefined ? [] : [{ count: limit, perMs }]),
    ...(warmUp === undefined
      ? {}
      : { warmUp: { startMs: dateMs(warmUp.start) ?? 0, perDay: warmUp.per_day } }),
  };
}

/** Midnight UTC of a date; null when it is none. */
function dateMs(date: string): number | null {
  const ms = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN;
  return Number.isNaN(ms) ? null : ms;
}
