import { type OctetRange, type OctetSource, pieceByPiece } from "../../mail/mime/source.ts";
import type { MessageBody } from "../../delivery/transport.ts";

/** The octets of a message of a job, for reading its parts wherever they are. */
export function messageSource(body: MessageBody): OctetSource {
  return {
    sizeBytes: body.sizeBytes,
    bytes: body.bytes,
    stream: (options) => body.stream(options),
  };
}

/**
 * Reads several ranges of a message in one pass and keeps them in memory. They stand in the order
 * of the message and do not overlap.
 */
export async function readRanges(
  source: OctetSource,
  ranges: readonly OctetRange[],
): Promise<Uint8Array[]> {
  if (source.bytes !== null) {
    const { bytes } = source;
    return ranges.map(({ start, end }) => bytes.subarray(start, end));
  }
  const read = ranges.map(({ start, end }) => new Uint8Array(end - start));
  const start = ranges[0]?.start ?? source.sizeBytes;
  let offset = start;
  let next = 0;
  for await (const piece of pieceByPiece(source, { start, end: source.sizeBytes })) {
    const pieceEnd = offset + piece.length;
    for (let index = next; index < ranges.length; index++) {
      const { start, end } = ranges[index] as OctetRange;
      if (start >= pieceEnd) break;
      const from = Math.max(start, offset);
      const part = piece.subarray(from - offset, Math.min(end, pieceEnd) - offset);
      read[index]?.set(part, from - start);
      if (end <= pieceEnd) next = index + 1;
    }
    offset = pieceEnd;
    if (next >= ranges.length) break;
  }
  return read;
}
