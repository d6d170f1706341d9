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
/** Pieces are joined up to this size before they are handed on. */
const BLOCK_BYTES = 32_768;

/** The octets of a message in the form that its plan, made from the same octets, describes. */
export async function* convert(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { entities }: PossiblePlan,
): AsyncGenerator<Uint8Array> {
  const converter = new Converter(entities);
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
  #index = -1;
  /** Whether the next header section is that of a message, not of a part. */
  #isMessage = true;
  #encoder: TransferEncoder | null = null;
  #pieces: Uint8Array[] = [];
  #endsInLf = true;
  sizeBytes = 0;

  constructor(plans: readonly EntityPlan[]) {
    this.#plans = plans;
  }

  header(octets: Uint8Array, entity: MimeEntity): void {
    const plan = this.#plans[++this.#index];
    if (plan === undefined) throw new Error("Cannot convert: the plan is for another message");
    this.#encoder = encoderFor(plan.encoding);
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

  between(octets: Uint8Array): void {
    this.#put(octets);
  }

  /** RFC 5321 4.1.1.4: the last line of a message has an end, too. */
  endLine(): void {
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

function encoderFor(encoding: TransferEncoding | null): TransferEncoder | null {
  if (encoding === "base64") return new Base64Encoder();
  return encoding === "quoted-printable" ? new QuotedPrintableEncoder() : null;
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
    if (name.toLowerCase() !== "content-transfer-encoding") continue;
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
