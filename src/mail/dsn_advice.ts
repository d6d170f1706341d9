import type { EnhancedCode } from "./enhanced_code.ts";

/** What a status means to the person who wrote the message, and what that person can do. */
export interface Advice {
  readonly meaning: string;
  readonly action: string;
}

const ASK_RECIPIENT = "Contact the recipient by other means and mention this notification.";

const UNKNOWN: Advice = {
  meaning: "The receiving server did not accept the message.",
  action: `Read the reply above; it usually gives the reason. ${ASK_RECIPIENT}`,
};

/** By subject and detail of RFC 3463 and of its registry; a subject alone is the fallback. */
const ADVICE: ReadonlyMap<string, Advice> = new Map([
  ["1", {
    meaning: "There is something wrong with the address.",
    action: "Check the address and send the message again.",
  }],
  ["1.1", {
    meaning: "There is no mailbox with that name at this domain.",
    action: "Check the part before the @ for typing mistakes, then send the message again.",
  }],
  ["1.2", {
    meaning: "The domain does not exist or cannot receive mail.",
    action: "Check the part after the @ for typing mistakes, then send the message again.",
  }],
  ["1.3", {
    meaning: "The address is not written in a valid form.",
    action: "Correct the address and send the message again.",
  }],
  ["1.6", {
    meaning: "The mailbox has moved without a forwarding address.",
    action: "Ask the recipient for the new address.",
  }],
  ["1.8", {
    meaning: "The receiving server does not accept your sender address.",
    action: "Check your own address in your mail program, or ask your mail administrator.",
  }],
  ["1.10", {
    meaning: "The domain does not accept mail.",
    action: "Check the part after the @, or contact the recipient by other means.",
  }],
  ["2", {
    meaning: "The recipient's mailbox cannot accept the message.",
    action: ASK_RECIPIENT,
  }],
  ["2.1", {
    meaning: "The recipient's mailbox is disabled.",
    action: ASK_RECIPIENT,
  }],
  ["2.2", {
    meaning: "The recipient's mailbox is full.",
    action: "Send the message again when the recipient has freed some space.",
  }],
  ["2.3", {
    meaning: "The message is larger than this recipient may receive.",
    action: "Send a smaller message, for instance a link instead of an attachment.",
  }],
  ["3.1", {
    meaning: "The receiving mail system is full.",
    action: "Send the message again later.",
  }],
  ["3.4", {
    meaning: "The message is larger than the receiving server accepts.",
    action: "Send a smaller message, for instance a link instead of an attachment.",
  }],
  ["4", {
    meaning: "The receiving mail system could not be reached.",
    action: "Send the message again later, or check the part after the @.",
  }],
  ["4.4", {
    meaning: "No mail server was found for this domain.",
    action: "Check the part after the @ for typing mistakes, then send the message again.",
  }],
  ["4.6", {
    meaning: "The message looped between mail systems.",
    action: "Forward this notification to your mail administrator.",
  }],
  ["6", {
    meaning: "The receiving server cannot handle the format of the message.",
    action: "Send it in a simpler format, for instance as plain text.",
  }],
  ["6.7", {
    meaning: "The receiving server does not support international addresses.",
    action: "Use an address without such characters.",
  }],
  ["7", {
    meaning: "The receiving server refused the message by its policy.",
    action: `If the message was legitimate, forward this to your administrator. ${ASK_RECIPIENT}`,
  }],
  ["7.1", {
    meaning: "The receiving server refused the message by its policy, often as suspected spam.",
    action: `If the message was legitimate, forward this to your administrator. ${ASK_RECIPIENT}`,
  }],
  ["7.10", {
    meaning: "The message requires an encrypted connection, which was not available.",
    action: "Forward this notification to your mail administrator.",
  }],
  ["7.25", {
    meaning: "The receiving server found no valid name for the address of the sending server.",
    action: "Forward this notification to your mail administrator.",
  }],
  ["7.26", {
    meaning: "The message failed the sender authentication of the receiving server.",
    action: "Forward this notification to your mail administrator (SPF, DKIM, DMARC).",
  }],
]);

/** Finds the advice for a status: by its detail, else by its subject, else a general one. */
export function adviceFor(status: EnhancedCode): Advice {
  const [, subject = "", detail = ""] = status.split(".");
  return ADVICE.get(`${subject}.${detail}`) ?? ADVICE.get(subject) ?? UNKNOWN;
}
