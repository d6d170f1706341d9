import { Buffer } from "node:buffer";
import { fieldText, findField, headerSection } from "../../mail/headers.ts";

/** A part of a message in MIME (RFC 2045), without its content. */
export interface MimePart {
  /** Media type in lower case without parameters: `text/plain`. */
  readonly type: string;
  /** Parameters of the type; names in lower case. */
  readonly params: ReadonlyMap<string, string>;
  /** `attachment`, `inline` or another word in lower case; null where the part says nothing. */
  readonly disposition: string | null;
  readonly parts: readonly MimePart[];
}

const MAX_DEPTH = 20;
const LF = 10;

/** The structure of a message. Nesting beyond twenty levels is not looked into. */
export function mimeTree(bytes: Uint8Array): MimePart {
  return readPart(bytes, 0);
}

function readPart(bytes: Uint8Array, depth: number): MimePart {
  const section = headerSection(bytes);
  const valueOf = (name: string): string | null => {
    const field = findField(section, name);
    return field === null ? null : fieldText(bytes, field);
  };
  const { word, params } = readParameters(valueOf("content-type") ?? "");
  const type = word.includes("/") ? word : "text/plain"; // RFC 2045 5.2
  const disposition = readParameters(valueOf("content-disposition") ?? "").word;
  const boundary = params.get("boundary") ?? "";
  const isDivided = type.startsWith("multipart/") && boundary !== "" && depth < MAX_DEPTH;
  const bodies = isDivided ? divide(bytes.subarray(section.bodyOffset), boundary) : [];
  return {
    type,
    params,
    disposition: disposition === "" ? null : disposition,
    parts: bodies.map((body) => readPart(body, depth + 1)),
  };
}

/** The parts between the delimiter lines of a boundary (RFC 2046 5.1.1). */
function divide(bytes: Uint8Array, boundary: string): Uint8Array[] {
  const octets = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = Buffer.from(`--${boundary}`);
  const parts: Uint8Array[] = [];
  let partStart = -1;
  for (let at = octets.indexOf(delimiter); at >= 0;) {
    const end = at + delimiter.length;
    const lineEnd = octets.indexOf(LF, end);
    const rest = octets.toString("latin1", end, lineEnd < 0 ? octets.length : lineEnd).trimEnd();
    if ((at === 0 || octets[at - 1] === LF) && (rest === "" || rest === "--")) {
      if (partStart >= 0) parts.push(bytes.subarray(partStart, Math.max(at, partStart)));
      if (rest === "--" || lineEnd < 0) return parts;
      partStart = lineEnd + 1;
    }
    at = octets.indexOf(delimiter, end);
  }
  if (partStart >= 0) parts.push(bytes.subarray(partStart));
  return parts;
}

/** A word and the parameters behind it (RFC 2045 5.1). */
function readParameters(value: string): { word: string; params: Map<string, string> } {
  const [word = ""] = value.split(";", 1);
  const params = new Map<string, string>();
  const pattern = /;\s*([\w*.-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g;
  for (const [, name = "", quoted, plain] of value.matchAll(pattern)) {
    params.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "");
  }
  return { word: word.trim().toLowerCase(), params };
}
