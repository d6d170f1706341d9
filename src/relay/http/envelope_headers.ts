import { concatBytes, encodeText } from "../../base/bytes.ts";
import { isAsciiText, withoutControls } from "../../mail/safe_text.ts";
import { fieldText, type HeaderField } from "../../mail/headers.ts";
import type { DeliveryJob, Loss, MessageBody } from "../../delivery/transport.ts";
import { mailboxesOf, mailboxKey, type NamedAddress } from "./addresses.ts";
import { bytesBody, joinedBody, rawBody, type RequestBody } from "./body.ts";
import { apiAddress, type Head, headOf } from "./carry.ts";

/** A message whose fields name exactly the recipients of its envelope. */
export type AddressedMessage =
  | {
    readonly kind: "addressed";
    readonly body: RequestBody;
    readonly losses: readonly Loss[];
  }
  /** The header section is longer than anybody reads. */
  | { readonly kind: "too_long" };

/** Fields that an API may take recipients from (RFC 5322 3.6.3 and 3.6.6). */
const VISIBLE = new Set(["to", "cc", "resent-to", "resent-cc"]);
const CRLF = encodeText("\r\n");
const ENCODED_WORD_BYTES = 45; // 60 characters of base64
const HIDDEN = new Set(["bcc", "resent-bcc"]);

/**
 * A message for an API that sends to whoever is in To, Cc and Bcc. Recipients that no field names
 * go into Bcc, which the API removes, in place of any Bcc that was there. A field that names
 * somebody else, who would get the message too, is kept as `X-Posthouse-Original-…` and replaced by one
 * with the recipients it has in common with the envelope.
 */
export async function addressedMessage(job: DeliveryJob): Promise<AddressedMessage> {
  const head = await headOf(job);
  if (!head.section.complete) return { kind: "too_long" };
  const plan = new FieldPlan(head, job.recipients.map(apiAddress));
  const { bodyOffset } = head.section;
  const body = plan.changed
    ? joinedBody([bytesBody(plan.octets), tailBody(job.body, bodyOffset)])
    : rawBody(job.body);
  return { kind: "addressed", body, losses: plan.losses };
}

/** The header section of a message on its way to naming the envelope. */
class FieldPlan {
  readonly losses: Loss[] = [];
  changed = false;
  readonly #head: Head;
  readonly #wanted: ReadonlyMap<string, string>;
  /** Recipients that no field names so far. */
  readonly #unnamed: Map<string, string>;
  readonly #pieces: Uint8Array[] = [];
  #hasVisible = false;

  constructor(head: Head, envelope: readonly string[]) {
    this.#head = head;
    this.#wanted = new Map(envelope.map((address) => [mailboxKey(address), address]));
    this.#unnamed = new Map(this.#wanted);
    for (const field of head.section.fields) this.#addField(field);
    this.#addMissing();
  }

  /** The section with its empty line. */
  get octets(): Uint8Array {
    return concatBytes([...this.#pieces, CRLF]);
  }

  #addField(field: HeaderField): void {
    const name = field.name.toLowerCase();
    const octets = this.#head.octets.subarray(field.start, field.valueEnd);
    if (HIDDEN.has(name)) this.changed = true;
    else if (VISIBLE.has(name)) this.#addVisible(field, octets);
    else this.#pieces.push(octets, CRLF);
  }

  #addVisible(field: HeaderField, octets: Uint8Array): void {
    const { members, foreign } = readField(this.#head, field, this.#wanted);
    for (const { address } of members) this.#unnamed.delete(mailboxKey(address));
    if (!foreign) {
      this.#pieces.push(octets, CRLF);
      this.#hasVisible = true;
      return;
    }
    this.changed = true;
    this.losses.push({ kind: "recipient_fields", what: field.name });
    this.#pieces.push(encodeText("X-Posthouse-Original-"), octets, CRLF);
    if (members.length === 0) return;
    this.#pieces.push(fieldOf(field.name, members.map(formatMailbox)));
    this.#hasVisible = true;
  }

  #addMissing(): void {
    if (this.#unnamed.size > 0) {
      this.changed = true;
      this.#pieces.push(fieldOf("Bcc", [...this.#unnamed.values()]));
    }
    if (this.#hasVisible) return;
    // RFC 5322 Appendix A.1.3: a group without members says that recipients are not shown.
    this.#pieces.push(encodeText("To: undisclosed-recipients:;\r\n"));
  }
}

/** The mailboxes of a field that are in the envelope, and whether it names anybody else. */
function readField(
  { octets }: Head,
  field: HeaderField,
  wanted: ReadonlyMap<string, string>,
): { members: NamedAddress[]; foreign: boolean } {
  const text = fieldText(octets, field);
  const mailboxes = mailboxesOf(text);
  // The envelope's own spelling was looked at by the server; the field's was not.
  const members = mailboxes.flatMap(({ name, address }) => {
    const own = wanted.get(mailboxKey(address));
    return own === undefined ? [] : [{ name, address: own }];
  });
  // An at sign that is in no mailbox found here might be one to another reader of the field.
  const isPlain = text.split("@").length - 1 === mailboxes.length;
  return { members, foreign: !isPlain || members.length < mailboxes.length };
}

/** A field with one mailbox on each line. */
function fieldOf(name: string, mailboxes: readonly string[]): Uint8Array {
  return encodeText(`${name}: ${mailboxes.join(",\r\n ")}\r\n`);
}

function formatMailbox({ name: written, address }: NamedAddress): string {
  const name = withoutControls(written);
  // A name like an address is what a careless reader would send to.
  if (name === "" || name.includes("@")) return address;
  if (/^[\w !#$%&'*+/^`{|}~-]+$/.test(name)) return `${name} <${address}>`;
  if (isAsciiText(name)) return `"${name.replace(/["\\]/g, "\\$&")}" <${address}>`;
  return `${encodedWords(name).join("\r\n ")} <${address}>`;
}

/** `text` in encoded-words of at most 75 characters (RFC 2047 section 2), no character split. */
function encodedWords(text: string): string[] {
  const words: string[] = [];
  let octets = new Uint8Array(0);
  const flush = (): void => void words.push(`=?utf-8?b?${octets.toBase64()}?=`);
  for (const char of text) {
    const more = encodeText(char);
    if (octets.length + more.length > ENCODED_WORD_BYTES) {
      flush();
      octets = new Uint8Array(0);
    }
    octets = concatBytes([octets, more]);
  }
  flush();
  return words;
}

/** A message without its first octets. */
function tailBody(message: MessageBody, from: number): RequestBody {
  return {
    lengthBytes: message.sizeBytes - from,
    stream: (options) => message.stream({ ...options, from }),
  };
}
