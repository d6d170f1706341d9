import { decodeLatin1 } from "../base/bytes.ts";
import { isQueueId } from "../base/ids.ts";
import { mailboxKey } from "../queue/mailbox.ts";
import type { MessageDetail, RecipientRecord } from "../queue/store.ts";
import { splitCopy } from "./plain_bounce.ts";
import type { ReturnAddresses, ReturnRef } from "./return_address.ts";
import type { ReportParts } from "./report_reader.ts";

/** The message that a report is about, as far as the report itself tells. */
export type Trace =
  /** One of our return addresses names message and recipient: nobody else can have made it. */
  | { readonly kind: "signed"; readonly ref: ReturnRef }
  /** The returned header says that the message passed here; anybody may have written that. */
  | { readonly kind: "received"; readonly messageId: string };

/** What traces are read with. */
export interface TraceOptions {
  readonly addresses: ReturnAddresses | null;
  /** The name that this relay writes into Received fields. */
  readonly hostname: string;
  readonly nowMs: number;
}

/** Finds the message of a report by what it returns of it; null when nothing tells. */
export function traceOf(
  parts: ReportParts,
  { addresses, hostname, nowMs }: TraceOptions,
): Trace | null {
  const returned = parts.returned === null
    ? splitCopy(parts.text).copy
    : decodeLatin1(parts.returned);
  const told = [parts.feedbackReport ?? "", returned].join("\n");
  const ref = addresses?.find(told, nowMs) ?? null;
  if (ref !== null) return { kind: "signed", ref };
  const messageId = receivedId(returned, hostname);
  return messageId === null ? null : { kind: "received", messageId };
}

/** The queue id in the Received field that this relay put in front of a message. */
function receivedId(header: string, hostname: string): string | null {
  for (const [field] of header.matchAll(/^Received:[^\n]*(?:\n[ \t][^\n]*)*/gim)) {
    const by = /\bby\s+([^\s;()]+)/i.exec(field)?.[1]?.toLowerCase();
    const id = /\bid\s+([0-9A-Z]{16})\b/i.exec(field)?.[1]?.toUpperCase();
    if (by === hostname.toLowerCase() && id !== undefined && isQueueId(id)) return id;
  }
  return null;
}

/**
 * The recipient of a message that a finding is about: the one its return address names, or the one
 * it names itself. Null when the message has no such recipient.
 */
export function recipientOf(
  { recipients }: MessageDetail,
  { index, names }: { index: number | null; names: readonly string[] },
): RecipientRecord | null {
  if (index !== null) return recipients.find((one) => one.index === index) ?? null;
  for (const name of names) {
    const key = mailboxKey(name);
    const found = recipients.find(({ forwardPath }) => mailboxKey(forwardPath) === key);
    if (found !== undefined) return found;
  }
  // Providers blot out whom a complaint is from.
  return names.length === 0 && recipients.length === 1 ? recipients[0] ?? null : null;
}
