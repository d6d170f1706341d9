import { concatBytes, encodeText } from "../base/bytes.ts";
import { type MimeEntity, readEntity } from "./mime_entity.ts";

const LF = 10;
const CR = 13;
const DASH = 45;

/** Hears of a message's structure in the order of its octets. Octets are valid during the call. */
export interface MimeVisitor {
  /** The header section of an entity, the empty line after it included where there is one. */
  header(octets: Uint8Array, entity: MimeEntity): void;
  /** Octets of the body of the last entity, a leaf. */
  body(octets: Uint8Array): void;
  /** The body of the last entity is complete. */
  bodyEnd(): void;
  /** Octets outside of all entities: lines of boundaries, and what stands around the parts. */
  between(octets: Uint8Array): void;
}

/** The longest header section of an entity. */
const HEADER_LIMIT_BYTES = 256 * 1024;
/** A line that is longer is no boundary (RFC 2046 section 5.1.1: at most 70 characters). */
const BOUNDARY_LINE_LIMIT_BYTES = 1024;
/** Deeper nesting is made to break programs. */
const DEPTH_LIMIT = 50;

interface Multipart {
  readonly entity: MimeEntity;
  readonly delimiter: Uint8Array;
}

type Mode = "header" | "body" | "between";

const NOTHING = new Uint8Array(0);

/**
 * Takes a message apart while it passes (RFC 2046 section 5.1) and keeps no more of it than one
 * header section. Every octet is handed to the visitor once, in order.
 */
export class MimeWalk {
  readonly #visitor: MimeVisitor;
  readonly #open: Multipart[] = [];
  #mode: Mode = "header";
  /** The entity around the one that is read. */
  #parent: MimeEntity | null = null;
  #header: Uint8Array[] = [];
  #headerBytes = 0;
  /** What is not handed on yet: the end of a line and the beginning of the next one. */
  #carry: Uint8Array = NOTHING;
  /** Whether `#carry` begins in the middle of a line. */
  #isMidLine = false;
  #isTooComplex = false;

  constructor(visitor: MimeVisitor) {
    this.#visitor = visitor;
  }

  /** Whether it had to give up: a header section too long, or nesting too deep. */
  get isTooComplex(): boolean {
    return this.#isTooComplex;
  }

  /** Takes the next octets. */
  push(chunk: Uint8Array): void {
    const data = this.#carry.length === 0 ? chunk : concatBytes([this.#carry, chunk]);
    this.#carry = NOTHING;
    this.#consume(data, { isLast: false });
  }

  /** The message is complete. */
  end(): void {
    const data = this.#carry;
    this.#carry = NOTHING;
    this.#consume(data, { isLast: true });
    if (this.#mode === "header") this.#endHeader();
    if (this.#mode === "body") this.#visitor.bodyEnd();
  }

  #consume(data: Uint8Array, { isLast }: { isLast: boolean }): void {
    let handedOn = 0;
    let lineStart = 0;
    while (lineStart < data.length) {
      if (this.#open.length === 0 && this.#mode !== "header") break;
      const lf = data.indexOf(LF, lineStart);
      if (lf === -1 && !isLast) return this.#keep(data, { handedOn, lineStart });
      const lineEnd = lf === -1 ? data.length : lf + 1;
      const line = data.subarray(lineStart, lineEnd);
      const wasMidLine = this.#isMidLine;
      this.#isMidLine = false;
      if (!wasMidLine && this.#isBoundary(line)) {
        // RFC 2046 section 5.1.1: the line break before a boundary belongs to it.
        const bodyEnd = lineStart - breakBefore(data, { handedOn, at: lineStart });
        this.#handOn(data.subarray(handedOn, bodyEnd));
        this.#passBoundary(line, data.subarray(bodyEnd, lineEnd));
        handedOn = lineEnd;
      } else if (this.#mode === "header") {
        this.#takeHeaderLine(line);
        handedOn = lineEnd;
      }
      lineStart = lineEnd;
    }
    const mayGoOn = !isLast && this.#open.length > 0 && this.#mode !== "header";
    if (mayGoOn) this.#keep(data, { handedOn, lineStart });
    else this.#handOn(data.subarray(handedOn));
  }

  /** Keeps back what may turn out to be a boundary with the line break before it. */
  #keep(
    data: Uint8Array,
    { handedOn, lineStart }: { handedOn: number; lineStart: number },
  ): void {
    const isLong = data.length - lineStart > BOUNDARY_LINE_LIMIT_BYTES;
    if (isLong && this.#mode !== "header") {
      this.#handOn(data.subarray(handedOn));
      this.#isMidLine = true;
      return;
    }
    const keepFrom = lineStart - breakBefore(data, { handedOn, at: lineStart });
    if (this.#mode !== "header") this.#handOn(data.subarray(handedOn, keepFrom));
    this.#carry = data.slice(this.#mode === "header" ? lineStart : keepFrom);
    if (this.#carry.length > HEADER_LIMIT_BYTES) this.#isTooComplex = true;
  }

  #handOn(octets: Uint8Array): void {
    if (octets.length === 0) return;
    if (this.#mode === "body") this.#visitor.body(octets);
    else this.#visitor.between(octets);
  }

  #takeHeaderLine(line: Uint8Array): void {
    this.#header.push(line.slice());
    this.#headerBytes += line.length;
    if (this.#headerBytes > HEADER_LIMIT_BYTES) this.#isTooComplex = true;
    const isEmpty = line[0] === LF || (line[0] === CR && line[1] === LF);
    if (isEmpty || this.#isTooComplex) this.#endHeader();
  }

  #endHeader(): void {
    const header = concatBytes(this.#header);
    const entity = readEntity(header, this.#parent);
    this.#header = [];
    this.#headerBytes = 0;
    this.#visitor.header(header, entity);
    this.#enter(entity);
  }

  #enter(entity: MimeEntity): void {
    this.#parent = entity;
    switch (entity.kind) {
      case "leaf":
        this.#mode = "body";
        return;
      case "message":
        return; // the header section of the message inside comes next
      case "multipart":
        this.#mode = "between";
        this.#open.push({ entity, delimiter: encodeText(`--${entity.type.boundary}`) });
        if (this.#open.length > DEPTH_LIMIT) this.#isTooComplex = true;
    }
  }

  #isBoundary(line: Uint8Array): boolean {
    if (line[0] !== DASH || line[1] !== DASH) return false;
    return this.#open.some(({ delimiter }) => boundaryKind(line, delimiter) !== null);
  }

  /** Ends what the boundary ends: parts, and multiparts that lack their own end. */
  #passBoundary(line: Uint8Array, withBreak: Uint8Array): void {
    if (this.#mode === "header") this.#endHeader();
    if (this.#mode === "body") this.#visitor.bodyEnd();
    this.#visitor.between(withBreak);
    for (let depth = this.#open.length - 1; depth >= 0; depth--) {
      const multipart = this.#open[depth] as Multipart;
      const kind = boundaryKind(line, multipart.delimiter);
      if (kind === null) continue;
      this.#open.length = kind === "next" ? depth + 1 : depth;
      this.#mode = kind === "next" ? "header" : "between";
      this.#parent = multipart.entity;
      return;
    }
  }
}

/** Whether a line begins the next part, or ends the last one; null for another line. */
function boundaryKind(line: Uint8Array, delimiter: Uint8Array): "next" | "last" | null {
  for (let index = 0; index < delimiter.length; index++) {
    if (line[index] !== delimiter[index]) return null;
  }
  const rest = line.subarray(delimiter.length);
  if (isBlank(rest)) return "next";
  return rest[0] === DASH && rest[1] === DASH && isBlank(rest.subarray(2)) ? "last" : null;
}

/** RFC 2046 section 5.1.1: white space may follow a boundary. */
function isBlank(octets: Uint8Array): boolean {
  return octets.every((octet) => octet === 32 || octet === 9 || octet === CR || octet === LF);
}

/** The length of the line break that ends at `at`, within what is not handed on. */
function breakBefore(
  data: Uint8Array,
  { handedOn, at }: { handedOn: number; at: number },
): number {
  if (at - 1 < handedOn || data[at - 1] !== LF) return 0;
  return at - 2 >= handedOn && data[at - 2] === CR ? 2 : 1;
}
