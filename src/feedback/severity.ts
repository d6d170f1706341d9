import type { EnhancedCode } from "../mail/enhanced_code.ts";
import { statusIn } from "./delivery_status.ts";

/** Whether mail to a mailbox will come back again (`hard`), or may arrive another time (`soft`). */
export type Severity = "hard" | "soft";

/**
 * What RFC 3463 says lies with the mailbox or its domain. The other permanent codes speak of the
 * message, of its sender or of a system on the way.
 */
const HARD_STATUS: ReadonlySet<string> = new Set([
  "1.1", // bad destination mailbox
  "1.2", // bad destination system
  "1.3", // bad destination mailbox syntax
  "1.6", // mailbox has moved
  "1.10", // null MX, RFC 7505
  "2.1", // mailbox disabled
  "4.4", // unable to route; servers give it for domains that do not exist
]);

/** Codes that lie with the sender: what does not exist is his address. */
const SENDER_STATUS: ReadonlySet<string> = new Set(["1.7", "1.8"]);

/** Codes that say nothing: servers give them with everything. */
const VAGUE_STATUS: ReadonlySet<string> = new Set(["0.0", "1.0", "2.0", "3.0", "4.0", "7.1"]);

/**
 * Notifications of many servers have a vague code and say in words what they mean; there is
 * nothing but these words to go by.
 */
const NO_SUCH_MAILBOX = [
  /\b(?:unknown|no such|illegal|invalid|nonexistent) (?:or illegal )?(?:local |final delivery )?(?:user|userid|mailbox|recipient|address|account|addressee|alias|domain|host)\b/i,
  /\b(?:user|mailbox|recipient|address|account|addressee|domain|host)\b(?:\(s\))?[^.\n]{0,40}? (?:is |was |has been |have been )?(?:unknown|not found|disabled|inactive|deactivated|suspended|terminated)\b/i,
  /\b(?:user|mailbox|recipient|address|account|domain|host)\b[^.\n]{0,80}\b(?:does not exist|doesn't exist|doesn't have an?|not exist|couldn't be found|wasn't found)/i,
  /\bno mailbox (?:here|by that name)\b|\bnot a valid mailbox\b|\bnot our (?:user|customer)\b/i,
  /\b(?:unrouteable|unroutable) address\b|\brecipient address rejected: access denied\b/i,
];
/** The mailbox is there, whatever the code says. */
const LATER =
  /\bover ?quota\b|\bquota (?:is )?exceeded\b|\bexceeded [^.\n]{0,20}quota\b|\bmailbox (?:is )?full\b|\bout of storage\b|\bat a rate\b|\brate[- ]limit|\btry again later\b|\btemporar(?:y|ily)\b/i;
/** The fault is not the mailbox's. */
const OTHER_FAULT =
  /\b(?:sender|mail ?from|spam|blocked|banned|block ?list(?:ed)?|black ?list(?:ed)?|denylist|reputation|policy|dmarc|spf|rdns|ptr|reverse dns|relay|too (?:large|many)|loop)\b/i;

/**
 * Judges a failure by the most telling of what is said of it. In doubt it is soft: there are more
 * servers that refuse a sender than mailboxes that end.
 *
 * @param status the notification's own status.
 * @param text the next hop's answer, or what stands in its place.
 */
export function severityOf(
  { status, text }: { status: EnhancedCode | null; text: string },
): Severity {
  const said = statusIn(text);
  const telling = said !== null && !isVague(said) ? said : status ?? said;
  const replyCode = /(?<![\d.])[245]\d\d(?![\d.])/.exec(text)?.[0] ?? "";
  if ((telling ?? replyCode).startsWith("4")) return "soft"; // given up, but not refused for good
  if (LATER.test(text)) return "soft";
  const detail = telling?.slice(2) ?? "0.0";
  if (HARD_STATUS.has(detail)) return "hard";
  if (SENDER_STATUS.has(detail) || OTHER_FAULT.test(text)) return "soft";
  return saysNoSuchMailbox(text) ? "hard" : "soft";
}

/** Whether a text says that there is no such mailbox. */
export function saysNoSuchMailbox(text: string): boolean {
  return NO_SUCH_MAILBOX.some((pattern) => pattern.test(text));
}

function isVague(status: EnhancedCode): boolean {
  return VAGUE_STATUS.has(status.slice(2));
}
