import type { EnhancedCode } from "./enhanced_code.ts";

/** What a status means to the person who wrote the message, and what that person can do. */
export interface Advice {
  readonly meaning: string;
  readonly action: string;
}

const ASK_RECIPIENT = "Reach the recipient in another way and tell them about this notification.";

const UNKNOWN: Advice = {
  meaning: "The receiving side did not take the message.",
  action: `Read the answer above; it usually says why. ${ASK_RECIPIENT}`,
};

/** By subject and detail of RFC 3463 and of its registry; a subject alone is the fallback. */
const ADVICE: ReadonlyMap<string, Advice> = new Map([
  ["1", {
    meaning: "There is something wrong with the address.",
    action: "Check the address and send the message again.",
  }],
  ["1.1", {
    meaning: "There is no mailbox of that name at this domain.",
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
    meaning: "The mailbox has moved and left no new address.",
    action: "Ask the recipient for the new address.",
  }],
  ["1.8", {
    meaning: "The receiving side does not accept your address as that of a sender.",
    action: "Check your own address in your mail program, or ask your mail administrator.",
  }],
  ["1.10", {
    meaning: "The domain says that it receives no mail at all.",
    action: "Check the part after the @, or reach the recipient in another way.",
  }],
  ["2", {
    meaning: "The recipient's mailbox cannot take the message.",
    action: ASK_RECIPIENT,
  }],
  ["2.1", {
    meaning: "The recipient's mailbox is switched off.",
    action: ASK_RECIPIENT,
  }],
  ["2.2", {
    meaning: "The recipient's mailbox is full.",
    action: "Send the message again when the recipient has made room.",
  }],
  ["2.3", {
    meaning: "The message is larger than this recipient may receive.",
    action: "Send a smaller message, for instance a link instead of an attachment.",
  }],
  ["3.1", {
    meaning: "The receiving mail system has no room left.",
    action: "Send the message again later.",
  }],
  ["3.4", {
    meaning: "The message is larger than the receiving side accepts.",
    action: "Send a smaller message, for instance a link instead of an attachment.",
  }],
  ["4", {
    meaning: "The receiving mail system could not be reached.",
    action: "Send the message again later, or check the part after the @.",
  }],
  ["4.4", {
    meaning: "There is no way known to a mail server of this domain.",
    action: "Check the part after the @ for typing mistakes, then send the message again.",
  }],
  ["4.6", {
    meaning: "The message went round in circles between mail systems.",
    action: "Pass this notification on to your mail administrator.",
  }],
  ["6", {
    meaning: "The receiving side cannot handle the form of the message.",
    action: "Send it in a simpler form, for instance as plain text.",
  }],
  ["6.7", {
    meaning: "The receiving side does not support addresses with international characters.",
    action: "Use an address without such characters.",
  }],
  ["7", {
    meaning: "The receiving side refused the message by its rules.",
    action: `If the message was legitimate, pass this on to your administrator. ${ASK_RECIPIENT}`,
  }],
  ["7.1", {
    meaning: "The receiving side refused the message by its rules, often as suspected spam.",
    action: `If the message was legitimate, pass this on to your administrator. ${ASK_RECIPIENT}`,
  }],
  ["7.10", {
    meaning: "The message needs an encrypted connection that could not be had.",
    action: "Pass this notification on to your mail administrator.",
  }],
  ["7.25", {
    meaning: "The receiving side found no valid name for the address of the sending server.",
    action: "Pass this notification on to your mail administrator.",
  }],
  ["7.26", {
    meaning: "The message failed the receiving side's check of who sent it.",
    action: "Pass this notification on to your mail administrator (SPF, DKIM, DMARC).",
  }],
]);

/** Finds the advice for a status: by its detail, else by its subject, else a general one. */
export function adviceFor(status: EnhancedCode): Advice {
  const [, subject = "", detail = ""] = status.split(".");
  return ADVICE.get(`${subject}.${detail}`) ?? ADVICE.get(subject) ?? UNKNOWN;
}
