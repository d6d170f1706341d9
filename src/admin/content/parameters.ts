import { decodeEncodedWords } from "../../mail/encoded_word.ts";

/** A field such as Content-Type: a word and its parameters (RFC 2045 section 5.1). */
export interface ParameterField {
  /** In lower case. */
  readonly word: string;
  /** Values by name in lower case, decoded. */
  readonly parameters: ReadonlyMap<string, string>;
}

const WORD = /^\s*([^\s;]+)/;
const PARAMETER = /;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\[^])*)"|([^\s;]*))/g;
const MAX_PARAMETERS = 100;

/**
 * Reads the unfolded value of a Content-Type or Content-Disposition field. Values in pieces and in
 * other charsets are put together (RFC 2231), and so are encoded-words, which do not belong there
 * and are found there all the same.
 */
export function parseParameters(value: string): ParameterField {
  const plain = new Map<string, string>();
  const pieces = new Map<string, Piece[]>();
  for (const [, key = "", quoted, token] of value.matchAll(PARAMETER).take(MAX_PARAMETERS)) {
    const text = quoted?.replace(/\\([^])/g, "$1") ?? token ?? "";
    const [, name = "", index, star] = /^([^*]+)(?:\*(\d{1,3}))?(\*)?$/.exec(key) ?? [];
    const lowerName = name.toLowerCase();
    if (index === undefined && star === undefined) {
      if (!plain.has(lowerName)) plain.set(lowerName, decodeEncodedWords(text));
      continue;
    }
    const piece = { index: Number(index ?? 0), isEncoded: star !== undefined, text };
    pieces.set(lowerName, [...pieces.get(lowerName) ?? [], piece]);
  }
  for (const [name, parts] of pieces) plain.set(name, joinPieces(parts));
  return { word: WORD.exec(value)?.[1]?.toLowerCase() ?? "", parameters: plain };
}

interface Piece {
  readonly index: number;
  /** Whether it is percent-encoded; the first one begins with charset and language then. */
  readonly isEncoded: boolean;
  readonly text: string;
}

function joinPieces(pieces: readonly Piece[]): string {
  const sorted = [...pieces].sort((a, b) => a.index - b.index);
  const [first] = sorted;
  const prefix = first?.isEncoded === true ? /^([^']*)'[^']*'/.exec(first.text) : null;
  const bytes: number[] = [];
  for (const { index, isEncoded, text } of sorted) {
    const own = index === 0 && prefix !== null ? text.slice(prefix[0].length) : text;
    bytes.push(...(isEncoded ? percentOctets(own) : new TextEncoder().encode(own)));
  }
  return decodeCharset(Uint8Array.from(bytes), prefix?.[1] ?? "utf-8");
}

function percentOctets(text: string): number[] {
  return (text.match(/%[0-9a-f]{2}|[^]/gi) ?? []).map((unit) =>
    unit.length === 3 ? parseInt(unit.slice(1), 16) : unit.charCodeAt(0) & 0xff
  );
}

/** Octets as text; a charset that nobody knows is read as UTF-8, or octet by octet. */
export function decodeCharset(bytes: Uint8Array, charset: string): string {
  const known = decoderFor(charset.trim());
  if (known !== null) return known.decode(bytes);
  const text = new TextDecoder().decode(bytes);
  return text.includes("\ufffd") ? new TextDecoder("latin1").decode(bytes) : text;
}

function decoderFor(charset: string): TextDecoder | null {
  try {
    return new TextDecoder(charset);
  } catch {
    return null; // RangeError: the runtime does not know the label
  }
}
