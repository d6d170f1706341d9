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
    .describe("Names the rule in timelines; reply-1, reply-2 … where not given."),
  code: text({
    expected: `a reply code such as "421", "4xx" or "55x"`,
    isValid: (value) => /^[45][\dx]{2}$/.test(value),
  }).optional().describe("Reply code; x stands for any digit."),
  enhanced: text({
    expected: `an enhanced status code such as "4.7.28" or "4.7.*"`,
    isValid: (value) => /^[45*](?:\.(?:\d{1,3}|\*)){2}$/.test(value),
  }).optional().describe("Enhanced status code; * stands for any number."),
  text: text({ expected: "a regular expression", isValid: isPattern }).optional().describe(
    "Regular expression looked for in the text, case apart. Groups named seconds, minutes or " +
      "hours tell how long to wait.",
  ),
  mx: listOf(domainPattern(), { atLeastOne: "host" }).optional()
    .describe("Hosts that said it; *.example.net for those below a domain."),
  domain: listOf(domainPattern(), { atLeastOne: "domain" }).optional()
    .describe("Recipient domains."),
  action: oneOf(["retry", "retry_later", "slow_down", "pause", "give_up", "suppress"])
    .describe("What the reply is taken for."),
  delay: duration({ minMs: 1000 }).optional()
    .describe("For retry_later (15m where not given) and pause (1h): how long."),
});

/** The `[[replies]]` tables. */
export const repliesSchema = listOf(replySchema).default([])
  .describe("What replies of next hops are taken for; the first that fits, before the known ones.");

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
