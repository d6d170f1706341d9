import { formatDateTime } from "./date.ts";
import { adviceFor } from "./dsn_advice.ts";
import type { DsnAction, DsnRecipient, DsnRequest } from "./dsn_types.ts";
import { formatReply } from "./reply.ts";
import { addressText, cutText, withoutControls, wrapText } from "./safe_text.ts";

const WIDTH_CHARS = 74;
const REPLY_LIMIT_CHARS = 1000;

/** People do not read further; the second part names all recipients. */
const EXPLAINED_RECIPIENTS = 50;

/** The actions from the one that matters most to the reader to the one that matters least. */
const BY_WEIGHT: readonly DsnAction[] = ["failed", "delayed", "relayed", "delivered", "expanded"];

const SUBJECTS: Readonly<Record<DsnAction, string>> = {
  failed: "Undelivered mail returned to sender",
  delayed: "Delayed mail (delivery is still being tried)",
  relayed: "Mail passed on to another mail system",
  delivered: "Mail delivered",
  expanded: "Mail delivered to a mailing list",
};

/** What follows "Your message" in front of the recipients that share an action. */
const OPENINGS: Readonly<Record<DsnAction, string>> = {
  failed: "could not be delivered, and will not be tried again, to:",
  delayed:
    "has not been delivered yet. Delivery is still being attempted; do not send it again. It " +
    "waits for:",
  relayed: "was passed on to a mail system that sends no notifications, so this is the last one. " +
    "You requested this notification. The message went to:",
  delivered: "was delivered; you requested this notification. It went to:",
  expanded: "was delivered to a mailing list, which passed it on to its members:",
};

const TO_POSTMASTER =
  "The message below has no return address, so its sender cannot be notified. You get this " +
  "notification as the postmaster of this mail system.";

/** The action that matters most among those of a notification. */
export function mainAction(recipients: readonly { readonly action: DsnAction }[]): DsnAction {
  return BY_WEIGHT.find((action) => recipients.some((recipient) => recipient.action === action)) ??
    "failed";
}

/** The Subject field of a notification. */
export function subjectOf(recipients: readonly DsnRecipient[]): string {
  return SUBJECTS[mainAction(recipients)];
}

/**
 * The first part of a notification, for people: for each recipient what happened, what the other
 * side said, what it means and what to do. Lines end in CRLF.
 */
export function explain(request: DsnRequest): string {
  const lines = [
    `This is the mail system at ${request.reportingMta}.`,
    "",
    ...(request.forPostmaster ? [...wrapText(TO_POSTMASTER, WIDTH_CHARS), ""] : []),
    ...BY_WEIGHT.flatMap((action) => explainGroup(request, action)),
    ...unexplained(request.recipients.length - EXPLAINED_RECIPIENTS),
    ...messageLines(request),
  ];
  return `${lines.join("\r\n")}\r\n`;
}

function explainGroup(
  { recipients, forPostmaster }: DsnRequest,
  action: DsnAction,
): string[] {
  const group = recipients.slice(0, EXPLAINED_RECIPIENTS)
    .filter((recipient) => recipient.action === action);
  if (group.length === 0) return [];
  const opening = `${forPostmaster ? "It" : "Your message"} ${OPENINGS[action]}`;
  return [...wrapText(opening, WIDTH_CHARS), "", ...group.flatMap(explainRecipient)];
}

function explainRecipient(recipient: DsnRecipient): string[] {
  const { mailbox, action } = recipient;
  const lines = [`<${addressText(mailbox)}>`, ...indented(whatWasSaid(recipient))];
  if (action === "failed") lines.push(...failureAdvice(recipient));
  if (action === "delayed" && recipient.willRetryUntilMs !== undefined) {
    lines.push(...indented(`Expires: ${formatDateTime(recipient.willRetryUntilMs)}`));
  }
  return [...lines, ""];
}

function whatWasSaid({ remote, reply }: DsnRecipient): string {
  const said = cutText(withoutControls(formatReply(reply)), REPLY_LIMIT_CHARS);
  if (remote === null) return `This mail system found: ${said}`;
  const host = remote.host === remote.address ? remote.host : `${remote.host} [${remote.address}]`;
  return `${withoutControls(host)} said: ${said}`;
}

function failureAdvice({ expired, status }: DsnRecipient): string[] {
  if (expired) {
    return [
      ...indented("Meaning: Delivery was retried until the message expired."),
      ...indented("What to do: Check the address, or send the message again later."),
    ];
  }
  const { meaning, action } = adviceFor(status);
  return [...indented(`Meaning: ${meaning}`), ...indented(`What to do: ${action}`)];
}

function unexplained(count: number): string[] {
  if (count <= 0) return [];
  return [`... and ${count} more; the attached delivery report lists all of them.`, ""];
}

function messageLines({ about, original }: DsnRequest): string[] {
  return [
    "About the message:",
    ...(about.subject === "" ? [] : indented(`Subject: ${withoutControls(about.subject)}`)),
    `  Accepted: ${formatDateTime(about.arrivedAtMs)}`,
    `  Queue id: ${about.id}`,
    ...(original === null ? [] : ["", "The message or its header is attached."]),
  ];
}

/** Indents by two, and what is wrapped by four. */
function indented(text: string): string[] {
  return wrapText(text, WIDTH_CHARS - 4).map((line, index) =>
    `${index === 0 ? "  " : "    "}${line}`
  );
}
