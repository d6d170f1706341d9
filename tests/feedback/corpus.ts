import type { ReportParts } from "../../src/feedback/report_reader.ts";
import { readReport } from "../../src/feedback/report_reader.ts";

const FOLDER = new URL("../corpus/feedback/", import.meta.url);

/** The octets of a report of the corpus, with CRLF or, as it stands there, LF. */
export async function reportOctets(
  name: string,
  { lineEnd = "\r\n" }: { lineEnd?: string } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const text = await Deno.readTextFile(new URL(`${name}.eml`, FOLDER));
  return new TextEncoder().encode(text.replaceAll("\n", lineEnd));
}

/** The parts of a report whose octets come in pieces of a size. */
export function readInPieces(
  octets: Uint8Array<ArrayBuffer>,
  sizeBytes: number = octets.length,
): Promise<ReportParts> {
  return readReport(pieces(octets, sizeBytes));
}

/** Every piece lies in the same buffer, as those of the store may. */
async function* pieces(
  octets: Uint8Array<ArrayBuffer>,
  sizeBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(sizeBytes);
  for (let at = 0; at < octets.length; at += sizeBytes) {
    const piece = octets.subarray(at, at + sizeBytes);
    buffer.set(piece);
    yield await Promise.resolve(buffer.subarray(0, piece.length));
  }
}
