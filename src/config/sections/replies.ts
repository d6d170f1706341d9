import type { z } from "zod";
import { domainPattern, duration, listOf, oneOf, table, text } from "../fields.ts";
import { durationMs } from "../units.ts";

/** Replies of next hops and what they are taken for. Keys that are present must all fit. */
export interface ReplyConfig {
  readonly name: string;
  /** `421`, `4xx`. */
  readonly code?: string;
  /** `4.7.28`, `4.7.*`. */
  readonly enhanced?: string;
  /** A regular expression. */
  readonly text?: string;
  readonly mx?: readonly string[];
  readonly domain?: readonly string[];
  readonly action: "retry" | "retry_later" | "slow_down" | "pause" | "give_up" | "suppress";
  readonly delayMs?: number;
}

const replySchema = table({
  name: text({ expected: "a name", isValid: (value) => value !== "" }).optional()
    .describe("Name of the rule in timelines. Default: reply-1, reply-2 …"),
  code: text({
    expected: `a reply code such as "421", "4xx" or "55x"`,
    isValid: (value) => /^[45][\dx]{2}$/.test(value),
  }).optional().describe("Reply code; x matches any digit."),
  enhanced: text({
    expected: `an enhanced status code such as "4.7.28" or "4.7.*"`,
    isValid: (value) => /^[45*](?:\.(?:\d{1,3}|\*)){2}$/.test(value),
  }).optional().describe("Enhanced status code; * matches any number."),
  text: text({ expected: "a regular expression", isValid: isPattern }).optional().describe(
    "Regular expression to find in the text, case-insensitive. Groups named seconds, minutes " +
      "or hours give the delay.",
  ),
  mx: listOf(domainPattern(), { atLeastOne: "host" }).optional()
    .describe("Hosts that sent the reply; *.example.net for subdomains."),
  domain: listOf(domainPattern(), { atLeastOne: "domain" }).optional()
    .describe("Recipient domains."),
  action: oneOf(["retry", "retry_later", "slow_down", "pause", "give_up", "suppress"])
    .describe("How to treat the reply."),
  delay: duration({ minMs: 1000 }).optional()
    .describe("Delay of retry_later (default 15m) and pause (default 1h)."),
});

/** The `[[replies]]` tables. */
export const repliesSchema = listOf(replySchema).default([])
  .describe("Classification of replies; the first matching rule wins, before the known replies.");

export function replyConfig(doc: z.output<typeof replySchema>, index: number): ReplyConfig {
  const { code, enhanced, mx, domain } = doc;
  return {
    name: doc.name ?? `reply-${index + 1}`,
    ...(code === undefined ? {} : { code }),
    ...(enhanced === undefined ? {} : { enhanced }),
    ...(doc.text === undefined ? {} : { text: doc.text }),
    ...(mx === undefined ? {} : { mx }),
    ...(domain === undefined ? {} : { domain }),
    action: doc.action,
    ...(doc.delay === undefined ? {} : { delayMs: durationMs(doc.delay) }),
  };
}

function isPattern(value: string): boolean {
  try {
    return value !== "" && new RegExp(value, "i").source !== "";
  } catch {
    return false;
  }
}
