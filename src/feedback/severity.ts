import type { EnhancedCode } from "../mail/enhanced_code.ts";
import { statusIn } from "./delivery_status.ts";

/** Whether mail to a mailbox will come back again (`hard`), or may arrive another time (`soft`). */
export type Severity = "hard" | "soft";

/**
 * What RFC 3463 says lies with the mailbox or its domain. The other permanent codes speak of the
 * message, of its sender or of a system on the way.
 */
const HARD_STATUS: ReadonlySet<string> = new Set([
  "1.0", // other address status
  "1.1", // bad destination mailbox
  "1.2", // bad destination system
  "1.3", // bad destination mailbox syntax
  "1.6", // mailbox has moved
  "1.10", // null MX, RFC 7505
  "2.1", // mailbox disabled
  "4.4", // unable to route; servers give it for domains that do not exist
]);

/** Codes that say nothing: servers give them with everything. */
const VAGUE_STATUS: ReadonlySet<string> = new Set(["0.0", "2.0", "3.0", "4.0", "4.1", "7.1"]);

/**
 * Notifications of many servers have a vague code and say in words what they mean; there is
 * nothing but these words to go by.
 */
const NO_SUCH_MAILBOX = [
  /\b(?:unknown|no such|invalid|bad|nonexistent) (?:local )?(?:user|mailbox|recipient|address|account|addressee)\b/i,
  /\b(?:user|mailbox|recipient|address|account|addressee) (?:is |was )?(?:unknown|not found|unavailable here|disabled|inactive|invalid|deactivated|terminated)\b/i,
  /\b(?:user|mailbox|recipient|address|account)\b[^.\n]{0,80}\b(?:does not exist|doesn't exist|doesn't have an?|not exist|couldn't be found|wasn't found)/i,
  /\bno mailbox (?:here|by that name)\b|\bnot a valid mailbox\b|\bnot our customer\b/i,
  /\b(?:unrouteable|unroutable) address\b|\brecipient address rejected: access denied\b/i,
  /\b(?:host|domain)\b[^\n]{0,60}\b(?:not found|does not exist|couldn't be found)\b/i,
];
const FULL_OR_BLOCKED = [
  /\b(?:over ?quota|quota exceeded|exceeded (?:its |the |storage )*quota|mailbox (?:is )?full)\b/i,
  /\b(?:spam|blocked|block ?list|black ?list|denylist|reputation|policy|dmarc|spf|too large|loop)\b/i,
];

/**
 * Judges a failure by the most telling of what is said of it.
 *
 * @param status the notification's own status.
 * @param text the next hop's answer, or what stands in its place.
 */
export function severityOf(
  { status, text }: { status: EnhancedCode | null; text: string },
): Severity {
  const said = statusIn(text);
  const telling = said !== null && !isVague(said) ? said : status ?? said;
  const replyCode = Number(/(?<![\d.])[245]\d\d(?![\d.])/.exec(text)?.[0] ?? 0);
  if (telling?.startsWith("4") || (telling === null && replyCode >= 400 && replyCode < 500)) {
    return "soft"; // given up after a time, not refused for good
  }
  if (telling !== null && !isVague(telling)) {
    return HARD_STATUS.has(telling.slice(2)) ? "hard" : byWords(text, "soft");
  }
  if (replyCode === 552) return "soft"; // RFC 5321 4.2.3: exceeded storage allocation
  return byWords(text, "hard");
}

/** Whether a text says that there is no such mailbox. */
export function saysNoSuchMailbox(text: string): boolean {
  return NO_SUCH_MAILBOX.some((pattern) => pattern.test(text));
}

function byWords(text: string, otherwise: Severity): Severity {
  if (saysNoSuchMailbox(text)) return "hard";
  return FULL_OR_BLOCKED.some((pattern) => pattern.test(text)) ? "soft" : otherwise;
}

function isVague(status: EnhancedCode): boolean {
  return VAGUE_STATUS.has(status.slice(2));
}
