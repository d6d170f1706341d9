import { concatBytes, decodeText } from "../../base/bytes.ts";
import { type Arrangement, contentTypeOf } from "./arrange.ts";
import { type DecodedText, readText, saysNothing } from "./charset.ts";
import { unflow } from "./flowed.ts";
import { type OctetRange, type OctetSource, pieceByPiece } from "./source.ts";
import { transferDecode, transferDecoder } from "./transfer_decode.ts";
import type { MimePart } from "./tree.ts";

/** How much of HTML is looked at for the charset that it names itself. */
const HTML_HEAD_BYTES = 1024;

/**
 * The text of a part as people read it: decoded, its lines ended by LF, put together again where
 * it was wrapped for the way (RFC 3676).
 */
export async function readTextPart(
  source: OctetSource,
  part: MimePart,
): Promise<DecodedText> {
  const octets = await contentOctets(source, part);
  const type = contentTypeOf(part);
  const named = part.entity.type.text("charset");
  const isOpen = type === "text/html" && (named === null || saysNothing(named));
  const label = isOpen ? charsetOfHtml(octets) : named;
  const { text: written, isCertain } = readText(octets, label);
  const text = written.includes("\0") ? written.replaceAll("\0", "") : written; // RFC 5322 4.1
  const lines = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  const isFlowed = type === "text/plain" &&
    part.entity.type.text("format")?.toLowerCase() === "flowed";
  if (!isFlowed) return { text: lines, isCertain };
  const isDelSp = part.entity.type.text("delsp")?.toLowerCase() === "yes";
  return { text: unflow(lines, { isDelSp }), isCertain };
}

/** A customary word to programs that know no MIME. */
const CUSTOMARY = /^\s*(?:(?=[^]{0,500}$)[^]*\bMIME\b[^]*)?$/i;
const LONGEST_CUSTOMARY_BYTES = 1_000;

/** What stands beside all parts of multiparts, but for a customary word and empty lines. */
export async function findLoose(
  source: OctetSource,
  { loose }: Arrangement,
): Promise<Arrangement["loose"]> {
  const texts = [];
  for (const one of loose) if (!await isCustomary(source, one.range)) texts.push(one);
  return texts;
}

async function isCustomary(source: OctetSource, range: OctetRange): Promise<boolean> {
  if (range.end - range.start > LONGEST_CUSTOMARY_BYTES) return false;
  return CUSTOMARY.test(decodeText(await octetsIn(source, range)));
}

/** The content of a part as a sender encoded it, in memory. */
export async function contentOctets(
  source: OctetSource,
  part: MimePart,
): Promise<Uint8Array> {
  return transferDecode(await octetsIn(source, part.body), part.encoding);
}

/** Octets of a message, in memory. */
export async function octetsIn(
  source: OctetSource,
  range: OctetRange,
): Promise<Uint8Array> {
  if (source.bytes !== null) {
    return source.bytes.subarray(range.start, range.end);
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of pieceByPiece(source, range)) {
    pieces.push(new Uint8Array(piece));
  }
  return concatBytes(pieces);
}

/** The content of a part while it is read. A piece is good until the next one. */
export async function* contentPieces(
  source: OctetSource,
  part: MimePart,
): AsyncGenerator<Uint8Array> {
  const decoder = transferDecoder(part.encoding);
  for await (const piece of pieceByPiece(source, part.body)) {
    const decoded = decoder === null ? piece : decoder.decode(piece);
    if (decoded.length > 0) yield decoded;
  }
  const rest = decoder?.end();
  if (rest !== undefined && rest.length > 0) yield rest;
}

function charsetOfHtml(octets: Uint8Array): string | null {
  const head = new TextDecoder("latin1").decode(
    octets.subarray(0, HTML_HEAD_BYTES),
  );
  return /<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(head)
    ?.[1] ?? null;
}
