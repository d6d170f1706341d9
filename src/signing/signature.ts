import type { HeaderField } from "../mail/headers.ts";
import { canonicalField, type MessageHeader, relaxed } from "./header_canon.ts";

/** A signature field in the making (RFC 6376 section 3.5). */
export interface SignatureFacts {
  /** `DKIM-Signature`, `ARC-Message-Signature`, `ARC-Seal`. */
  readonly fieldName: string;
  /** Tags before `h=`, in order. */
  readonly tags: readonly (readonly [name: string, value: string])[];
  /** Null where the field does not name them. */
  readonly signed: SignedFields | null;
  /** The hash of the body, in base64; null where it is not signed. */
  readonly bodyHash: string | null;
}

/** The fields that are signed. */
export interface SignedFields {
  /** In the order of `h=`. */
  readonly names: readonly string[];
  /** Their canonical octets, one character for each. */
  readonly text: string;
}

/** A field that is signed; null stands for one that is not there, and so must not be added. */
export interface SignedField {
  readonly name: string;
  readonly field: HeaderField | null;
}

const LINE_CHARS = 76;

/** Fields that are always signed once more than they are there, so that none can be added. */
const OVERSIGNED = ["from", "reply-to", "subject", "to", "cc"];
/** The same for fields that a message has; one that lacks them may get them on its way. */
const OVERSIGNED_IF_THERE = [
  ...["sender", "date", "message-id", "in-reply-to", "references"],
  ...["mime-version", "content-type", "content-transfer-encoding"],
];
/** Signed as often as they are there. */
const SIGNED = [
  ...["content-id", "content-description", "content-disposition", "content-language"],
  ...["resent-date", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-message-id"],
  ...["list-id", "list-help", "list-unsubscribe", "list-unsubscribe-post", "list-subscribe"],
  ...["list-post", "list-owner", "list-archive", "feedback-id", "auto-submitted", "autocrypt"],
];
const SIGNED_NAMES: readonly string[] = [...OVERSIGNED, ...OVERSIGNED_IF_THERE, ...SIGNED];

/**
 * The fields to sign (RFC 6376 section 5.4.1), several of one name from the last to the first
 * (5.4.2), with one more of a name where none may be added (8.15).
 */
export function fieldsToSign(fields: readonly HeaderField[]): readonly SignedField[] {
  const byName = Map.groupBy(fields, ({ name }) => name.toLowerCase());
  return SIGNED_NAMES.flatMap((name) => {
    const found = byName.get(name) ?? [];
    const signed = found.toReversed().map((field) => ({ name, field }));
    const isOversigned = OVERSIGNED.includes(name) ||
      (found.length > 0 && OVERSIGNED_IF_THERE.includes(name));
    return isOversigned ? [...signed, { name, field: null }] : signed;
  });
}

/** The signature field without its signature: folded, no line break at its end. */
export function unsignedField({ fieldName, tags, signed, bodyHash }: SignatureFacts): string {
  const lines = new Folded(`${fieldName}:`);
  for (const [name, value] of tags) lines.add(`${name}=${value};`);
  if (signed !== null) {
    lines.add("h=");
    const { names } = signed;
    names.forEach((name, index) => lines.join(name + (index < names.length - 1 ? ":" : ";")));
  }
  if (bodyHash !== null) lines.add(`bh=${bodyHash};`);
  lines.add("b=");
  return lines.text;
}

/** What is signed of a header section (RFC 6376 section 3.7), the signature field left aside. */
export function signedFields(
  { bytes }: MessageHeader,
  fields: readonly SignedField[],
): SignedFields {
  const text = fields.map(({ field }) =>
    field === null ? "" : `${canonicalField(bytes, field, "relaxed")}\r\n`
  ).join("");
  return { names: fields.map(({ name }) => name), text };
}

/** The relaxed form of a field made here, whether its line break stands at its end or not. */
export function canonicalText(field: string): string {
  const colon = field.indexOf(":");
  return relaxed(field.slice(0, colon), field.slice(colon + 1).replace(/\r\n$/, ""));
}

/** The signature field with its signature, and a line break at its end. */
export function withSignature(unsigned: string, signature: Uint8Array): string {
  const lines = new Folded(unsigned);
  for (const piece of signature.toBase64().match(/.{1,64}/g) ?? []) lines.join(piece);
  return `${lines.text}\r\n`;
}

/** Text broken into lines where white space may stand. */
class Folded {
  #text: string;
  #lineLength: number;

  constructor(text: string) {
    this.#text = text;
    this.#lineLength = text.length - (text.lastIndexOf("\n") + 1);
  }

  get text(): string {
    return this.#text;
  }

  /** Adds a word after a space, or on a line of its own. */
  add(word: string): void {
    const fits = this.#lineLength + 1 + word.length <= LINE_CHARS;
    this.#text += fits ? ` ${word}` : `\r\n\t${word}`;
    this.#lineLength = (fits ? this.#lineLength : 0) + 1 + word.length;
  }

  /** Adds a word right behind, or on a line of its own. */
  join(word: string): void {
    if (this.#lineLength + word.length > LINE_CHARS) return this.#break(word);
    this.#text += word;
    this.#lineLength += word.length;
  }

  #break(word: string): void {
    this.#text += `\r\n\t${word}`;
    this.#lineLength = 1 + word.length;
  }
}
