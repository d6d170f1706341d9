import { decodeText, encodeText } from "../../base/bytes.ts";
import { fieldText, findField, headerSection } from "../../mail/headers.ts";

/** A part of a message in MIME (RFC 2045). */
export interface MimePart {
  /** Media type in lower case without parameters: `text/plain`. */
  readonly type: string;
  /** Parameters of the type; names in lower case. */
  readonly params: ReadonlyMap<string, string>;
  /** `attachment`, `inline` or another word in lower case; null where the part says nothing. */
  readonly disposition: string | null;
  /** Content-Transfer-Encoding in lower case; `7bit` where the part says nothing (RFC 2045 6.1). */
  readonly encoding: string;
  /** The content as it stands in the message, a view of its octets. */
  readonly body: Uint8Array;
  readonly parts: readonly MimePart[];
}

const MAX_DEPTH = 20;
const LF = 10;
const DASH = 45;

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
  const body = bytes.subarray(section.bodyOffset);
  const bodies = isDivided ? divide(body, boundary) : [];
  return {
    type,
    params,
    disposition: disposition === "" ? null : disposition,
    encoding: valueOf("content-transfer-encoding")?.toLowerCase() ?? "7bit",
    body,
    parts: bodies.map((inner) => readPart(inner, depth + 1)),
  };
}

/** The parts between the delimiter lines of a boundary (RFC 2046 5.1.1). */
function divide(bytes: Uint8Array, boundary: string): Uint8Array[] {
  const delimiter = encodeText(`--${boundary}`);
  const parts: Uint8Array[] = [];
  let partStart = -1;
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf(LF, at);
    const next = lineEnd < 0 ? bytes.length : lineEnd + 1;
    const kind = bytes[at] === DASH ? delimiterKind(bytes.subarray(at, next), delimiter) : null;
    if (kind !== null) {
      if (partStart >= 0) parts.push(bytes.subarray(partStart, at));
      if (kind === "last") return parts;
      partStart = next;
    }
    at = next;
  }
  if (partStart >= 0) parts.push(bytes.subarray(partStart));
  return parts;
}

function delimiterKind(line: Uint8Array, delimiter: Uint8Array): "next" | "last" | null {
  if (line.length < delimiter.length) return null;
  for (let index = 0; index < delimiter.length; index++) {
    if (line[index] !== delimiter[index]) return null;
  }
  const rest = decodeText(line.subarray(delimiter.length)).trimEnd();
  return rest === "" ? "next" : rest === "--" ? "last" : null;
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
