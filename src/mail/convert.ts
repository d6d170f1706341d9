import { Buffer, isAscii } from "node:buffer";
import { concatBytes, encodeText } from "../base/bytes.ts";
import { asciiHeader } from "./ascii_header.ts";
import type { ConversionPlan, EntityPlan } from "./conversion_plan.ts";
import { findField, headerSection } from "./headers.ts";
import type { MimeEntity } from "./mime/entity.ts";
import { type MimeVisitor, MimeWalk } from "./mime/walk.ts";
import { Base64Encoder, QuotedPrintableEncoder, type TransferEncoder } from "./transfer_encoder.ts";
import type { TransferEncoding } from "./transfer_encoding.ts";

type PossiblePlan = Extract<ConversionPlan, { kind: "possible" }>;

const CRLF = encodeText("\r\n");
const NOTHING = new Uint8Array(0);
const QUESTION_MARK = 63;
/** Pieces are joined up to this size before they are handed on. */
const BLOCK_BYTES = 32_768;

/** The octets of a message in the form that its plan, made from the same octets, describes. */
export async function* convert(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  plan: PossiblePlan,
): AsyncGenerator<Uint8Array> {
  const converter = new Converter(plan);
  const walk = new MimeWalk(converter);
  for await (const chunk of chunks) {
    walk.push(chunk);
    if (converter.sizeBytes >= BLOCK_BYTES) yield converter.take();
  }
  walk.end();
  converter.endLine();
  if (converter.sizeBytes > 0) yield converter.take();
}

class Converter implements MimeVisitor {
  readonly #plans: readonly EntityPlan[];
  readonly #masksFrame: boolean;
  #index = -1;
  /** Whether the next header section is that of a message, not of a part. */
  #isMessage = true;
  #encoder: TransferEncoder | null = null;
  #pieces: Uint8Array[] = [];
  #endsInLf = true;
  sizeBytes = 0;

  constructor({ entities, masksFrame }: PossiblePlan) {
    this.#plans = entities;
    this.#masksFrame = masksFrame;
  }

  header(octets: Uint8Array, entity: MimeEntity): void {
    const plan = this.#plans[++this.#index];
    if (plan === undefined) throw new Error("Cannot convert: the plan is for another message");
    this.#encoder = encoderFor(plan);
    this.#put(this.#described(octets, plan));
    this.#isMessage = entity.kind === "message";
  }

  body(octets: Uint8Array): void {
    this.#put(this.#encoder === null ? octets : this.#encoder.encode(octets));
  }

  bodyEnd(): void {
    if (this.#encoder !== null) this.#put(this.#encoder.end());
    this.#encoder = null;
  }

  /** A multipart that has an encoder has no boundary of its own, so this is another's. */
  delimiter(): void {
    this.bodyEnd();
  }

  between(octets: Uint8Array): void {
    if (this.#encoder !== null) this.#put(this.#encoder.encode(octets));
    else if (!this.#masksFrame || isAscii(octets)) this.#put(octets);
    else this.#put(octets.map((octet) => octet > 127 ? QUESTION_MARK : octet));
  }

  /** RFC 5321 4.1.1.4: the last line of a message has an end, too. */
  endLine(): void {
    this.bodyEnd();
    if (!this.#endsInLf) this.#put(CRLF);
  }

  /** What has come out since the last call. */
  take(): Uint8Array {
    const taken = concatBytes(this.#pieces);
    this.#pieces = [];
    this.sizeBytes = 0;
    return taken;
  }

  #described(written: Uint8Array, { encoding, charset, encodesHeader }: EntityPlan): Uint8Array {
    const header = encodesHeader ? asciiHeader(written) ?? written : written;
    if (encoding === null) return header;
    return describe(header, { encoding, charset, isMessage: this.#isMessage });
  }

  #put(octets: Uint8Array): void {
    if (octets.length === 0) return;
    this.#pieces.push(octets.slice()); // a visitor may keep nothing of what it is shown
    this.sizeBytes += octets.length;
    this.#endsInLf = octets[octets.length - 1] === CRLF[1];
  }
}

function encoderFor({ encoding, cleans }: EntityPlan): TransferEncoder | null {
  if (cleans !== null) return new StrayOctets(cleans);
  if (encoding === "base64") return new Base64Encoder();
  return encoding === "quoted-printable" ? new QuotedPrintableEncoder() : null;
}

/** Encoded content without octets above 127: encoded where that is possible, else left out. */
class StrayOctets implements TransferEncoder {
  readonly #encoding: "base64" | "quoted-printable";

  constructor(encoding: "base64" | "quoted-printable") {
    this.#encoding = encoding;
  }

  encode(chunk: Uint8Array): Uint8Array {
    if (isAscii(chunk)) return chunk;
    if (this.#encoding === "base64") return chunk.filter((octet) => octet < 128);
    const written = latin1(chunk).replace(
      /[\x80-\xff]/g,
      (char) => `=${char.charCodeAt(0).toString(16).toUpperCase()}`,
    );
    return encodeText(written);
  }

  end(): Uint8Array {
    return NOTHING;
  }
}

/** One character an octet, which the runtime's decoder of that name does not do (0x80 to 0x9f). */
function latin1({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString("latin1");
}

/** The header section with fields that describe the new form; all others stay as they are. */
function describe(
  header: Uint8Array,
  { encoding, charset, isMessage }: {
    encoding: TransferEncoding;
    charset: EntityPlan["charset"];
    isMessage: boolean;
  },
): Uint8Array {
  const section = headerSection(header, { limitBytes: header.length });
  const kept: Uint8Array[] = [];
  let from = 0;
  for (const [index, { name, start }] of section.fields.entries()) {
    const isReplaced = name.toLowerCase() === "content-transfer-encoding" ||
      (charset !== null && name.toLowerCase() === "content-type");
    if (!isReplaced) continue;
    kept.push(header.subarray(from, start));
    from = section.fields[index + 1]?.start ?? section.endOffset;
  }
  kept.push(header.subarray(from, section.endOffset));
  const added: string[] = [];
  // RFC 2045 section 4: without it, a message has no MIME.
  const isMime = !isMessage || findField(section, "mime-version") !== null;
  if (!isMime) added.push("MIME-Version: 1.0\r\n");
  if (charset !== null) added.push(`Content-Type: text/plain; charset=${charset}\r\n`);
  added.push(`Content-Transfer-Encoding: ${encoding}\r\n`);
  const end = header.subarray(section.endOffset);
  return concatBytes([...kept, encodeText(added.join("")), end.length === 0 ? CRLF : end]);
}
