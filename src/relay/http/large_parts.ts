import { concatBytes, decodeText, encodeText } from "../../base/bytes.ts";
import type { MimePart } from "./mime_tree.ts";

/** A message whose large files were taken out. */
export interface LightMessage {
  /** The message with a mark in place of the content of each. */
  readonly octets: Uint8Array;
  /** The content of each file, decoded, by the text of its mark. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/** Below this the parser is fast enough. */
const LARGE_BYTES = 64 * 1024;

/**
 * Takes large base64 files out of a message. The parser decodes base64 at 40 MB/s and holds the
 * event loop meanwhile, the runtime's own decoder is far faster. What does not decode is left to
 * the parser.
 *
 * @param root the structure of the message, over its octets.
 * @param nonce keeps a sender from writing a mark.
 */
export function takeOutLargeParts(
  raw: Uint8Array,
  { root, nonce }: { root: MimePart; nonce: string },
): LightMessage {
  const contents = new Map<string, Uint8Array>();
  const pieces: Uint8Array[] = [];
  let done = 0;
  for (const { body } of largeParts(root)) {
    const content = decode(body);
    if (content === null) continue;
    const start = body.byteOffset - raw.byteOffset;
    const mark = `${nonce}-${contents.size}`;
    pieces.push(raw.subarray(done, start), encodeText(`${btoa(mark)}\r\n`));
    contents.set(mark, content);
    done = start + body.length;
  }
  if (contents.size === 0) return { octets: raw, contents };
  pieces.push(raw.subarray(done));
  return { octets: concatBytes(pieces), contents };
}

/** Files in the order of the message; text is left where it is, for its charset. */
function largeParts(part: MimePart): MimePart[] {
  if (part.parts.length > 0) return part.parts.flatMap(largeParts);
  const isFile = part.encoding === "base64" && part.body.length >= LARGE_BYTES &&
    !/^(?:text|message|multipart)\//.test(part.type);
  return isFile ? [part] : [];
}

/** The octets of base64 text; line breaks between its characters do not count. */
function decode(body: Uint8Array): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(decodeText(body));
  } catch {
    return null; // SyntaxError: a character that is not base64's
  }
}
