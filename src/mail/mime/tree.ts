import type { MimeEntity } from "./entity.ts";
import { type OctetRange, type OctetSource, pieceByPiece } from "./source.ts";
import { type TransferDecoder, transferDecoder } from "./transfer_decode.ts";
import { type MimeVisitor, MimeWalk, type WalkLimits } from "./walk.ts";

/** A message or a part of one, as ranges of its octets; none of them is held. */
export interface MimePart {
  readonly entity: MimeEntity;
  /** The header section with the empty line after it. */
  readonly header: OctetRange;
  /** What follows it, up to the line break that belongs to the next boundary. */
  readonly body: OctetRange;
  /**
   * The parts of a multipart, or the one message in a `message/rfc822`; empty for all else, and for
   * a multipart in which no line of its boundary is.
   */
  readonly parts: readonly MimePart[];
  /** Of a multipart: what stands before its first boundary; for all else, where the body begins. */
  readonly preamble: OctetRange;
  /** Of a multipart: the lines of its boundary, each with the line break before it. */
  readonly delimiters: readonly OctetRange[];
  /** Of a multipart: what stands after its last boundary. */
  readonly epilogue: OctetRange;
  /** Whether a multipart has its last boundary. */
  readonly isClosed: boolean;
  /**
   * The transfer encoding of its content: `7bit` for a message (RFC 2046 5.2.1), and for a leaf of
   * which nothing is in the encoding that it names.
   */
  readonly encoding: string;
  /** What stands at the end of a leaf's body and is not in its encoding, such as an added footer. */
  readonly rest: OctetRange;
  /** Octets of the content without its transfer encoding. */
  readonly contentBytes: number;
}

/** The structure of a message (RFC 2045 to 2049). */
export interface MimeTree {
  readonly root: MimePart;
  readonly sizeBytes: number;
  /**
   * Whether some of it was not looked into: nested too deeply, too many parts, a header section
   * too long. What was not looked into is in the body of the part around it.
   */
  readonly isTooComplex: boolean;
}

/** Reads the structure of a message, however large it is. */
export async function mimeTree(
  source: OctetSource,
  limits: Partial<WalkLimits> = {},
): Promise<MimeTree> {
  const builder = new TreeBuilder();
  const walk = new MimeWalk(builder, limits);
  for await (const piece of pieceByPiece(source)) walk.push(piece);
  walk.end();
  return builder.tree(walk.isTooComplex);
}

/** All parts in the order of the message, multiparts and messages before what is in them. */
export function* partsOf(part: MimePart): Generator<MimePart> {
  yield part;
  for (const inner of part.parts) yield* partsOf(inner);
}

/** Everything that a part is made of, in order: together these are all of its octets. */
export function* piecesOf(part: MimePart): Generator<OctetRange> {
  yield part.header;
  if (part.entity.kind === "leaf") {
    yield part.body;
    return;
  }
  yield part.preamble;
  for (const [index, inner] of part.parts.entries()) {
    const delimiter = part.delimiters[index];
    if (delimiter !== undefined) yield delimiter;
    yield* piecesOf(inner);
  }
  yield* part.delimiters.slice(
    part.entity.kind === "message" ? 0 : part.parts.length,
  );
  yield part.epilogue;
}

/** A part while its octets pass. */
class GrowingPart implements MimePart {
  readonly entity: MimeEntity;
  readonly header: OctetRange;
  readonly parts: GrowingPart[] = [];
  readonly delimiters: OctetRange[] = [];
  isClosed = false;
  #decodedBytes: number | null = null;
  /** Where in the body its encoding ends; null where it goes on to the end. */
  #encodedBytes: number | null = null;
  #end: number;

  constructor(entity: MimeEntity, header: OctetRange) {
    this.entity = entity;
    this.header = header;
    this.#end = header.end;
  }

  /** The octets up to `end` belong to it. */
  endAt(end: number): void {
    this.#end = end;
  }

  /** Counts content that was decoded. */
  count(lengthBytes: number): void {
    this.#decodedBytes = (this.#decodedBytes ?? 0) + lengthBytes;
  }

  /** Only this many octets of the body were in its encoding. */
  encodedUpTo(lengthBytes: number): void {
    if (this.#decodedBytes === 0) this.#decodedBytes = null;
    this.#encodedBytes = lengthBytes;
  }

  get encoding(): string {
    const isOther = this.#encodedBytes !== null && this.#decodedBytes === null;
    return this.entity.kind === "message" || isOther ? "7bit" : this.entity.encoding;
  }

  get rest(): OctetRange {
    const isPartly = this.#encodedBytes !== null && this.#decodedBytes !== null;
    const start = isPartly ? this.header.end + (this.#encodedBytes ?? 0) : this.#end;
    return { start: Math.min(start, this.#end), end: this.#end };
  }

  get contentBytes(): number {
    return this.#decodedBytes ?? this.#end - this.header.end;
  }

  get body(): OctetRange {
    return { start: this.header.end, end: this.#end };
  }

  get preamble(): OctetRange {
    const start = this.header.end;
    const isOpened = this.entity.kind === "multipart";
    return {
      start,
      end: isOpened ? this.delimiters[0]?.start ?? this.#end : start,
    };
  }

  get epilogue(): OctetRange {
    const last = this.isClosed ? this.delimiters.at(-1) : undefined;
    return { start: last?.end ?? this.#end, end: this.#end };
  }
}

/** Builds the tree out of what the walk tells. */
class TreeBuilder implements MimeVisitor {
  #offset = 0;
  #root: GrowingPart | null = null;
  /** From the whole message to the part that is read. */
  readonly #open: GrowingPart[] = [];
  /** Whose delimiter the next octets are. */
  #delimited: GrowingPart | null = null;
  #decoder: TransferDecoder | null = null;

  header({ length }: Uint8Array, entity: MimeEntity): void {
    const start = this.#offset;
    this.#offset += length;
    const part = new GrowingPart(entity, { start, end: this.#offset });
    this.#open.at(-1)?.parts.push(part);
    this.#root ??= part;
    this.#open.push(part);
    this.#decoder = entity.kind === "leaf" ? transferDecoder(entity.encoding) : null;
    if (this.#decoder !== null) part.count(0);
  }

  body(octets: Uint8Array): void {
    this.#offset += octets.length;
    if (this.#decoder !== null) {
      this.#open.at(-1)?.count(this.#decoder.decode(octets).length);
    }
  }

  bodyEnd(): void {
    const part = this.#open.pop();
    part?.endAt(this.#offset);
    if (this.#decoder === null) return;
    part?.count(this.#decoder.end().length);
    const { contentEnd } = this.#decoder;
    if (contentEnd !== null) part?.encodedUpTo(contentEnd);
    this.#decoder = null;
  }

  delimiter(entity: MimeEntity, { isLast }: { isLast: boolean }): void {
    while (this.#open.length > 0 && this.#open.at(-1)?.entity !== entity) {
      this.#open.pop()?.endAt(this.#offset);
    }
    const part = this.#open.at(-1);
    if (part === undefined) {
      throw new Error("Cannot build a tree: a boundary of no open multipart");
    }
    part.isClosed = isLast;
    this.#delimited = part;
  }

  between({ length }: Uint8Array): void {
    const start = this.#offset;
    this.#offset += length;
    this.#delimited?.delimiters.push({ start, end: this.#offset });
    this.#delimited = null;
  }

  tree(isTooComplex: boolean): MimeTree {
    for (const part of this.#open.splice(0)) part.endAt(this.#offset);
    if (this.#root === null) {
      throw new Error("Cannot build a tree: the walk is not over");
    }
    return { root: this.#root, sizeBytes: this.#offset, isTooComplex };
  }
}
