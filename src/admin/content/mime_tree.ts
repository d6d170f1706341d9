import { Buffer } from "node:buffer";
import { withoutComments } from "../../mail/comments.ts";
import { fieldText, findField, headerSection } from "../../mail/headers.ts";
import { type ParameterField, parseParameters } from "./parameters.ts";

/** A message or a part of one (RFC 2045 section 2.4). Bodies are views into the message. */
export interface MimeNode {
  readonly type: ParameterField;
  readonly disposition: ParameterField;
  /** Content-Transfer-Encoding in lower case; empty where there is none. */
  readonly encoding: string;
  /** Without angle brackets; null where there is none. */
  readonly contentId: string | null;
  /** The parts of a multipart, null for all else. */
  readonly parts: readonly MimeNode[] | null;
  readonly body: Uint8Array<ArrayBuffer>;
}

const MAX_DEPTH = 50;
const MAX_PARTS = 5_000;
/** The longest header section of a part. */
const HEADER_LIMIT_BYTES = 64 * 1024;

const LF = 10;
const CR = 13;

/** Takes a message apart without copying it; null when it is nested or divided beyond reason. */
export function mimeTree(message: Uint8Array<ArrayBuffer>): MimeNode | null {
  const budget = { parts: MAX_PARTS };
  const root = readNode(message, { depth: 0, standard: "text/plain", budget });
  return budget.parts < 0 ? null : root;
}

interface Reading {
  readonly depth: number;
  /** The type of a part that names none (RFC 2045 section 5.2, RFC 2046 section 5.1.5). */
  readonly standard: string;
  /** Negative once the message turned out to be beyond reason. */
  readonly budget: { parts: number };
}

function readNode(bytes: Uint8Array<ArrayBuffer>, reading: Reading): MimeNode {
  const section = headerSection(bytes, { limitBytes: HEADER_LIMIT_BYTES });
  const valueOf = (name: string): string => {
    const field = findField(section, name);
    return field === null ? "" : fieldText(bytes, field);
  };
  const type = parseParameters(valueOf("content-type") || reading.standard);
  const body = bytes.subarray(section.bodyOffset);
  const contentId = valueOf("content-id").replace(/^<|>$/g, "");
  return {
    type,
    disposition: parseParameters(valueOf("content-disposition")),
    encoding: withoutComments(valueOf("content-transfer-encoding")).trim().toLowerCase(),
    contentId: contentId === "" ? null : contentId,
    parts: readParts(body, { type, reading }),
    body,
  };
}

function readParts(
  body: Uint8Array<ArrayBuffer>,
  { type: { word, parameters }, reading }: { type: ParameterField; reading: Reading },
): MimeNode[] | null {
  const boundary = parameters.get("boundary") ?? "";
  if (!word.startsWith("multipart/") || boundary === "") return null;
  const { budget } = reading;
  const depth = reading.depth + 1;
  if (depth > MAX_DEPTH) budget.parts = -1;
  const standard = word === "multipart/digest" ? "message/rfc822" : "text/plain";
  const nodes: MimeNode[] = [];
  for (const part of divide(body, boundary)) {
    if (--budget.parts < 0) break;
    nodes.push(readNode(part, { depth, standard, budget }));
  }
  return nodes;
}

/** What stands between the lines of a boundary (RFC 2046 section 5.1.1). */
function* divide(
  body: Uint8Array<ArrayBuffer>,
  boundary: string,
): Generator<Uint8Array<ArrayBuffer>> {
  const octets = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = `--${boundary}`;
  let start: number | null = null;
  for (let at = octets.indexOf(delimiter); at >= 0;) {
    const end = at + delimiter.length;
    const line = boundaryLine(octets, { at, end });
    if (line !== null) {
      if (start !== null) yield body.subarray(start, beforeBreak(octets, { start, at }));
      if (line.isLast) return;
      start = line.next;
    }
    at = octets.indexOf(delimiter, end);
  }
  if (start !== null) yield body.subarray(start); // the end is missing
}

/** The line of a boundary at a place; null when it is none. */
function boundaryLine(
  octets: Buffer,
  { at, end }: { at: number; end: number },
): { isLast: boolean; next: number } | null {
  if (at > 0 && octets[at - 1] !== LF) return null;
  const lineEnd = octets.indexOf(LF, end);
  const next = lineEnd < 0 ? octets.length : lineEnd + 1;
  if (next - end > 1_000) return null;
  const rest = octets.toString("latin1", end, next);
  if (/^[ \t]*\r?\n?$/.test(rest)) return { isLast: false, next };
  return /^--[ \t]*\r?\n?$/.test(rest) ? { isLast: true, next } : null;
}

/** The line break before a boundary belongs to the boundary. */
function beforeBreak(
  octets: Buffer,
  { start, at }: { start: number; at: number },
): number {
  if (at - 1 < start) return start;
  return at - 2 >= start && octets[at - 2] === CR ? at - 2 : at - 1;
}
