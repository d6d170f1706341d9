import { parseMailbox } from "../../mail/address.ts";
import type { Draft, DraftAttachment, DraftMailbox } from "../../mail/compose/draft.ts";
import { fieldText, headerSection } from "../../mail/headers.ts";
import { mailboxesIn } from "../../mail/mailboxes.ts";

/** A request says something that cannot be carried out; the text is for whoever wrote it. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** The key that it concerns; empty for the whole. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** The mailboxes of a text such as `Ada <ada@x.example>, bob@y.example`. */
export function readMailboxes(field: string, text: string): DraftMailbox[] {
  if (text.trim() === "") return [];
  return mailboxesIn(text).map((mailbox) => checkedMailbox(field, mailbox));
}

/** One mailbox. */
export function readMailbox(field: string, text: string): DraftMailbox {
  const [mailbox, ...more] = readMailboxes(field, text);
  if (mailbox !== undefined && more.length === 0) return mailbox;
  throw new RequestError(field, `\`${field}\` must be one mail address`);
}

/** A mailbox whose address is one. */
export function checkedMailbox(field: string, mailbox: DraftMailbox): DraftMailbox {
  if (parseMailbox(mailbox.address).kind === "ok") return mailbox;
  throw new RequestError(field, `\`${field}\` is not a valid mail address`);
}

/**
 * The name by which HTML shows a file (RFC 2392), however a program writes it; null for none. What
 * cannot stand in a Content-ID becomes an underscore.
 */
export function readContentId(text: string): string | null {
  const id = text.trim().replace(/^<|>$/g, "").replace(/[\s<>()\\"]/g, "_");
  return id === "" ? null : id;
}

/**
 * The content id of a file that is shown: because it is said to be inline, or because HTML refers to
 * it. Null for all others, whose id nothing asks for.
 */
export function shownId(
  html: string | null,
  { isInline, id, filename }: {
    readonly isInline: boolean;
    readonly id: string | null | undefined;
    readonly filename: string;
  },
): string | null {
  if (isInline) return id ?? filename;
  const written = readContentId(id ?? "");
  return written !== null && html?.includes(`cid:${written}`) === true ? written : null;
}

/** A file out of base64. */
export function readAttachment(
  field: string,
  { content, ...file }: Omit<DraftAttachment, "content"> & { readonly content: string },
): DraftAttachment {
  try {
    const type = file.type === "" ? "application/octet-stream" : file.type;
    const contentId = file.contentId === null ? null : readContentId(file.contentId);
    return { ...file, type, contentId, content: Uint8Array.fromBase64(content) };
  } catch {
    throw new RequestError(field, `\`${field}\` is not base64`);
  }
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ...{ sec: 1_000, second: 1_000, min: 60_000, minute: 60_000 },
  ...{ h: 3_600_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 },
};

/** A message with nothing in it is what a program wrote in words that are not known here. */
export function refuseEmpty(
  { text, html, alternatives = [], attachments }: Pick<
    Draft,
    "text" | "html" | "alternatives" | "attachments"
  >,
  words: string,
): void {
  const isEmpty = text === null && html === null && alternatives.length === 0 &&
    attachments.length === 0;
  if (isEmpty) throw new RequestError("", words);
}

/** A point in time in any form that the runtime reads, or as `in 5 min`. */
export function readTime(
  field: string,
  { text, nowMs }: { text: string; nowMs: number },
): number {
  const [, count, unit = ""] = /^in (\d{1,6}) ([a-z]+?)s?$/i.exec(text.trim()) ?? [];
  const unitMs = UNITS_MS[unit.toLowerCase()];
  const timeMs = unitMs === undefined ? Date.parse(text) : nowMs + Number(count) * unitMs;
  if (Number.isFinite(timeMs)) return timeMs;
  throw new RequestError(field, `\`${field}\` is not a valid time`);
}

/** Whom the fields of a message name, and the message without those that nobody may see. */
export interface RawEnvelope {
  readonly from: string;
  readonly to: readonly string[];
  readonly octets: Uint8Array;
}

/** Reads a message whose envelope stands in its fields (RFC 5322 3.6.2, 3.6.3). */
export function readRawEnvelope(octets: Uint8Array): RawEnvelope {
  const { fields } = headerSection(octets);
  const found = new Map<string, DraftMailbox[]>();
  const kept: Uint8Array[] = [];
  let keptTo = 0;
  for (const [index, field] of fields.entries()) {
    const name = field.name.toLowerCase();
    if (["from", "to", "cc", "bcc"].includes(name)) {
      const more = readMailboxes(name, fieldText(octets, field));
      found.set(name, [...found.get(name) ?? [], ...more]);
    }
    if (name !== "bcc" && name !== "resent-bcc") continue;
    kept.push(octets.subarray(keptTo, field.start));
    keptTo = fields[index + 1]?.start ?? headerSection(octets).endOffset;
  }
  kept.push(octets.subarray(keptTo));
  const to = ["to", "cc", "bcc"].flatMap((name) => found.get(name) ?? []);
  return {
    from: found.get("from")?.[0]?.address ?? "",
    to: to.map(({ address }) => address),
    octets: kept.length === 1 ? octets : joined(kept),
  };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
