import { Buffer } from "node:buffer";
import { concatBytes } from "../../base/bytes.ts";
import { byteOrderMark, headerSection, isMailboxLine } from "../headers.ts";
import { LONGEST_BOUNDARY, type MimeEntity, readEntity } from "./entity.ts";

/**
 * Hears of a message's structure in the order of its octets. Every octet is handed over once, and
 * is valid during the call.
 */
export interface MimeVisitor {
  /** The header section of an entity, the empty line after it included where there is one. */
  header(octets: Uint8Array, entity: MimeEntity): void;
  /** Octets of the body of the last entity, a leaf. */
  body(octets: Uint8Array): void;
  /** The body of the last entity is complete. */
  bodyEnd(): void;
  /** The octets that `between` gets next are a line of the boundary of this multipart. */
  delimiter?(entity: MimeEntity, facts: { readonly isLast: boolean }): void;
  /** Octets outside of all entities: lines of boundaries, and what stands around the parts. */
  between(octets: Uint8Array): void;
}

/** How much of a message is looked into. */
export interface WalkLimits {
  /** Multiparts and messages within each other; deeper ones are octets. */
  readonly depth: number;
  /** Entities; what follows the last one belongs to it. */
  readonly entities: number;
  /** Octets of one header section, and of all together thirty times that. */
  readonly headerBytes: number;
}

/** More than any mail has that is not made to break programs. */
export const WALK_LIMITS: WalkLimits = {
  depth: 50,
  entities: 10_000,
  headerBytes: 256 * 1024,
};

/** How many longest header sections all of a message may have together. */
const HEADERS_FACTOR = 30;
/** What stands before and after a boundary in its line, blanks included. */
const BOUNDARY_LINE_LIMIT_BYTES = LONGEST_BOUNDARY + 100;
const LF = 10;
const CR = 13;
const DASH = 45;
const NOTHING = new Uint8Array(0);

interface Multipart {
  readonly entity: MimeEntity;
  readonly depth: number;
  /** The one around it with the same boundary, which is out of sight until this one ends. */
  readonly hidden: Multipart | undefined;
}

type Mode = "header" | "body" | "between";

/** A line of a boundary. */
interface Delimiter {
  readonly multipart: Multipart;
  readonly isLast: boolean;
}

/**
 * Takes a message apart while it passes (RFC 2046 section 5.1) and keeps no more of it than one
 * header section. Its time is linear in the length of the message, whatever is in it.
 */
export class MimeWalk {
  readonly #visitor: MimeVisitor;
  readonly #limits: WalkLimits;
  #mode: Mode = "header";
  /** Multiparts that are open, from the outside in, and the last of each boundary. */
  readonly #open: Multipart[] = [];
  readonly #byBoundary = new Map<string, Multipart>();
  /** How long the lines of all boundaries so far are, blanks at their ends apart. */
  readonly #lineLengths = new Set<number>();
  /** The entity around the one that is read, and how many there are around that. */
  #parent: MimeEntity | null = null;
  #depth = 0;
  #entities = 0;
  #header: Uint8Array[] = [];
  #headerBytes = 0;
  #allHeaderBytes = 0;
  /** What is not handed on yet: a line that is not complete, and the line break before it. */
  #carry: Uint8Array = NOTHING;
  /** Whether the next octet begins a line. */
  #isLineStart = true;
  #isTooComplex = false;

  constructor(visitor: MimeVisitor, limits: Partial<WalkLimits> = {}) {
    this.#visitor = visitor;
    this.#limits = { ...WALK_LIMITS, ...limits };
  }

  /** Whether it did not look into all of the message, because of its limits. */
  get isTooComplex(): boolean {
    return this.#isTooComplex;
  }

  /** Takes the next octets. */
  push({ buffer, byteOffset, byteLength }: Uint8Array): void {
    const chunk = new Uint8Array(buffer, byteOffset, byteLength); // a Buffer's slices are no copies
    this.#consume(
      this.#carry.length === 0 ? chunk : concatBytes([this.#carry, chunk]),
      false,
    );
  }

  /** The message is complete. */
  end(): void {
    this.#consume(this.#carry, true);
    if (this.#mode === "header") this.#endHeader();
    if (this.#mode === "body") this.#visitor.bodyEnd();
  }

  #consume(data: Uint8Array, isLast: boolean): void {
    let at = 0;
    while (at < data.length) {
      const next = this.#mode === "header"
        ? this.#takeHeaderLine(data, { at, isLast })
        : this.#takeContent(data, { at, isLast });
      if (next === null) break;
      at = next;
    }
    this.#carry = at < data.length ? data.slice(at) : NOTHING;
  }

  /** Takes one line of a header section; the offset after it, or null where more is needed. */
  #takeHeaderLine(
    data: Uint8Array,
    { at, isLast }: { at: number; isLast: boolean },
  ): number | null {
    const lf = data.indexOf(LF, at);
    const isWhole = lf >= 0 || isLast;
    const room = this.#limits.headerBytes - this.#headerBytes;
    if (!isWhole && data.length - at <= room) return null;
    const end = lf < 0 ? data.length : lf + 1;
    if (end - at > room) return this.#overflowHeader(at);
    const line = data.subarray(at, end);
    const delimiter = this.#delimiterIn(line);
    const markBytes = this.#headerBytes === 0 ? byteOrderMark(line) : 0;
    const kind = delimiter === null ? lineKind(line.subarray(markBytes)) : "other";
    const isKept = kind === "empty" || kind === "field" ||
      (kind === "fold" && this.#headerBytes > 0) ||
      (delimiter === null && isMailboxLine(line) && this.#mayGoOn(line));
    if (isKept) this.#keepHeader(line);
    if (isKept && kind !== "empty") return end;
    this.#endHeader();
    if (delimiter === null) return isKept ? end : at;
    return this.#passDelimiter(delimiter, { octets: line, end });
  }

  /** Whether the one reader of header sections reads on behind a line that is no field. */
  #mayGoOn(line: Uint8Array): boolean {
    const octets = concatBytes([...this.#header, line]);
    return headerSection(octets, { limitBytes: octets.length }).endOffset === octets.length;
  }

  #keepHeader(line: Uint8Array): void {
    this.#header.push(line.slice());
    this.#headerBytes += line.length;
  }

  /** Gives up on a header section that is longer than any; what follows of it is content. */
  #overflowHeader(at: number): number {
    this.#isTooComplex = true;
    this.#endHeader({ isWhole: false });
    return at;
  }

  #endHeader({ isWhole }: { isWhole: boolean } = { isWhole: true }): void {
    const header = concatBytes(this.#header);
    this.#header = [];
    this.#headerBytes = 0;
    this.#allHeaderBytes += header.length;
    const { depth, entities, headerBytes } = this.#limits;
    const isFull = ++this.#entities >= entities ||
      this.#allHeaderBytes > headerBytes * HEADERS_FACTOR;
    const isInner = this.#depth < depth && !isFull;
    const entity = readEntity(header, {
      parent: this.#parent,
      isInner: isInner && isWhole,
    });
    if (!isInner && /^(?:multipart|message)\//.test(entity.mediaType)) {
      this.#isTooComplex = true;
    }
    this.#visitor.header(header, entity);
    this.#enter(entity);
    if (isFull) this.#stopDividing();
  }

  #enter(entity: MimeEntity): void {
    this.#isLineStart = true;
    if (entity.kind === "leaf") {
      this.#mode = "body";
      return;
    }
    this.#parent = entity;
    this.#depth++;
    if (entity.kind === "message") return; // the header section of the message inside comes next
    this.#mode = "between";
    const key = `--${entity.boundary}`;
    const multipart = {
      entity,
      depth: this.#depth,
      hidden: this.#byBoundary.get(key),
    };
    this.#byBoundary.set(key, multipart);
    // Blanks at the end of a boundary stand before the last two dashes.
    const writtenBytes = entity.type.octets("boundary")?.length ?? 0;
    this.#lineLengths.add(key.length).add(key.length + 2).add(writtenBytes + 4);
    this.#open.push(multipart);
  }

  /** There are more parts than anybody sends: all that follows is of the one that is open. */
  #stopDividing(): void {
    if (this.#open.length > 0) this.#isTooComplex = true;
    this.#open.length = 0;
    this.#byBoundary.clear();
  }

  /** Hands on what stands before the next delimiter; null where more is needed. */
  #takeContent(
    data: Uint8Array,
    { at, isLast }: { at: number; isLast: boolean },
  ): number | null {
    if (this.#open.length === 0) {
      this.#handOn(data.subarray(at));
      return data.length;
    }
    for (let from = at;;) {
      const dash = this.#nextDashes(data, { at, from });
      if (dash === null) {
        return this.#handOnBut(data, {
          at,
          kept: isLast ? 0 : heldBack(data, at),
        });
      }
      const lf = data.indexOf(LF, dash);
      const end = lf < 0 ? data.length : lf + 1;
      const breakAt = dash - breakBefore(data, { at, dash });
      if (lf < 0 && !isLast && end - dash <= BOUNDARY_LINE_LIMIT_BYTES) {
        return this.#handOnBut(data, { at, kept: end - breakAt });
      }
      const delimiter = this.#delimiterIn(data.subarray(dash, end));
      if (delimiter !== null) {
        this.#handOn(data.subarray(at, breakAt));
        return this.#passDelimiter(delimiter, {
          octets: data.subarray(breakAt, end),
          end,
        });
      }
      from = dash + 2;
    }
  }

  /** Where the next two dashes are that begin a line; null where there are none. */
  #nextDashes(
    data: Uint8Array,
    { at, from }: { at: number; from: number },
  ): number | null {
    if (
      from === at && this.#isLineStart && data[at] === DASH &&
      data[at + 1] === DASH
    ) return at;
    // Line by line: the runtime looks for one octet faster than for several. The line feed before
    // them may be the one at `from`, so nothing is looked at twice.
    for (
      let lf = data.indexOf(LF, Math.max(at, from - 1));
      lf >= 0;
      lf = data.indexOf(LF, lf + 1)
    ) {
      if (data[lf + 1] === DASH && data[lf + 2] === DASH) return lf + 1;
    }
    return null;
  }

  /** Hands on all but the last octets; null where nothing is left to hand on. */
  #handOnBut(
    data: Uint8Array,
    { at, kept }: { at: number; kept: number },
  ): number | null {
    const end = data.length - kept;
    if (end <= at) return null;
    this.#handOn(data.subarray(at, end));
    return end;
  }

  #handOn(octets: Uint8Array): void {
    if (octets.length === 0) return;
    this.#isLineStart = octets[octets.length - 1] === LF;
    if (this.#mode === "body") this.#visitor.body(octets);
    else this.#visitor.between(octets);
  }

  /** What a line delimits; null where it is another line. */
  #delimiterIn(line: Uint8Array): Delimiter | null {
    if (
      line[0] !== DASH || line[1] !== DASH ||
      line.length > BOUNDARY_LINE_LIMIT_BYTES
    ) return null;
    let end = line.length;
    while (isBlank(line[end - 1])) end--; // RFC 2046 5.1.1: blanks may follow it
    if (!this.#lineLengths.has(end)) return null; // most lines are none
    const text = latin1(line.subarray(0, end));
    const next = this.#byBoundary.get(text);
    if (next !== undefined) return { multipart: next, isLast: false };
    if (!text.endsWith("--")) return null;
    const last = this.#byBoundary.get(text.slice(0, -2).replace(/[ \t]+$/, ""));
    return last === undefined ? null : { multipart: last, isLast: true };
  }

  /**
   * Passes a delimiter with the line break before it, which belongs to it (RFC 2046 5.1.1), and
   * ends the multiparts inside that lack their own end.
   */
  #passDelimiter(
    { multipart: { entity, depth }, isLast }: Delimiter,
    { octets, end }: { octets: Uint8Array; end: number },
  ): number {
    if (this.#mode === "body") this.#visitor.bodyEnd();
    while ((this.#open.at(-1)?.depth ?? 0) > depth) this.#close();
    if (isLast) this.#close();
    this.#parent = entity;
    this.#depth = depth;
    this.#mode = isLast ? "between" : "header";
    this.#isLineStart = true;
    this.#visitor.delimiter?.(entity, { isLast });
    this.#visitor.between(octets);
    return end;
  }

  #close(): void {
    const multipart = this.#open.pop();
    if (multipart === undefined) return;
    const key = `--${multipart.entity.boundary}`;
    if (multipart.hidden === undefined) this.#byBoundary.delete(key);
    else this.#byBoundary.set(key, multipart.hidden);
  }
}

type LineKind = "empty" | "fold" | "field" | "other";

/** What a line of a header section is (RFC 5322 section 2.2). */
function lineKind(line: Uint8Array): LineKind {
  const [first] = line;
  if (first === LF || (first === CR && line[1] === LF)) return "empty";
  if (first === 32 || first === 9) return "fold";
  let at = 0;
  while (at < 998 && isNameOctet(line[at])) at++;
  if (at === 0) return "other";
  while (line[at] === 32 || line[at] === 9) at++;
  return line[at] === 58 ? "field" : "other";
}

function isNameOctet(octet: number | undefined): boolean {
  return octet !== undefined && octet > 32 && octet < 127 && octet !== 58;
}

function isBlank(octet: number | undefined): boolean {
  return octet === 32 || octet === 9 || octet === CR || octet === LF;
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}

/** The length of the line break that ends at `dash`, within what is not handed on. */
function breakBefore(
  data: Uint8Array,
  { at, dash }: { at: number; dash: number },
): number {
  if (dash - 1 < at || data[dash - 1] !== LF) return 0;
  return dash - 2 >= at && data[dash - 2] === CR ? 2 : 1;
}

/** How many octets at the end may be the beginning of a boundary's line with the break before. */
function heldBack(data: Uint8Array, at: number): number {
  let from = data.length;
  if (from > at && data[from - 1] === DASH) from--;
  const isDash = from < data.length;
  if (from > at && data[from - 1] === LF) from--;
  else if (isDash) return from === at ? 1 : 0;
  if (from > at && data[from - 1] === CR) from--;
  return data.length - from;
}
