import { domainPatterns } from "../patterns.ts";

/** What a reply of a next hop is taken for. */
export const REPLY_ACTIONS = [
  /** For now; tried again by the schedule, not before a time that the text says. */
  "retry",
  /** For now; not tried again before a time. */
  "retry_later",
  /** It wants less at a time; no attempt is used up. */
  "slow_down",
  /** It wants nothing for a while; all mail for it waits, and no attempt is used up. */
  "pause",
  /** For good. */
  "give_up",
  /** For good, and the recipient is to get no more mail. */
  "suppress",
] as const;
export type ReplyAction = typeof REPLY_ACTIONS[number];

/** Replies of next hops and what they are taken for. Keys that are present must all fit. */
export interface ReplyRule {
  readonly name: string;
  /** `421`, `4xx`, `55x`. */
  readonly code?: string;
  /** `4.7.28`, `4.7.*`. */
  readonly enhanced?: string;
  /**
   * Looked for in the text, lines joined by spaces. Groups named `seconds`, `minutes` or `hours`
   * tell how long to wait.
   */
  readonly text?: RegExp;
  /** Names of hosts that said it: `*.mail.example`. */
  readonly mx?: readonly string[];
  /** Recipient domains. */
  readonly domain?: readonly string[];
  readonly action: ReplyAction;
  /** How long to wait, or to pause, when the text does not say. */
  readonly delayMs?: number;
}

/** A reply with its circumstances. */
export interface ReplyFacts {
  readonly code: number;
  /** Absent when there is none. */
  readonly enhanced?: string | undefined;
  readonly text: string;
  /** In lower case. */
  readonly host: string;
  readonly domain: string;
}

/** Tells whether a rule fits, and what it found in the text. */
export type ReplyMatcher = (facts: ReplyFacts) => RegExpExecArray | true | null;

/** Compiles the match of a rule. */
export function compileReplyRule(rule: ReplyRule): ReplyMatcher {
  const { text } = rule;
  const isCode = rule.code === undefined ? null : wildcard(rule.code, "x", "\\d");
  const isEnhanced = rule.enhanced === undefined ? null : wildcard(rule.enhanced, "*", "\\d{1,3}");
  const isHost = rule.mx === undefined ? null : domainPatterns(rule.mx);
  const isDomain = rule.domain === undefined ? null : domainPatterns(rule.domain);
  return (facts) => {
    if (isCode !== null && !isCode.test(String(facts.code))) return null;
    if (isEnhanced !== null && !isEnhanced.test(facts.enhanced ?? "")) return null;
    if (isHost !== null && !isHost(facts.host)) return null;
    if (isDomain !== null && !isDomain(facts.domain)) return null;
    return text === undefined ? true : text.exec(facts.text);
  };
}

/** `text` as a regular expression in which `sign` stands for `meaning`. */
function wildcard(text: string, sign: string, meaning: string): RegExp {
  return new RegExp(`^${text.split(sign).map(RegExp.escape).join(meaning)}$`);
}
