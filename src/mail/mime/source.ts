import { setImmediate } from "node:timers/promises";

/** Octets of a message: from `start` to before `end`. */
export interface OctetRange {
  readonly start: number;
  readonly end: number;
}

/** The octets of a message, wherever they are. */
export interface OctetSource {
  readonly sizeBytes: number;
  /** All of them, where they are in memory; null where they have to be read. */
  readonly bytes: Uint8Array | null;
  /**
   * The octets in order, from the one at `from`; with `reuse` each chunk is good only until the
   * next one is asked for.
   */
  stream(
    options?: { readonly from?: number; readonly reuse?: boolean },
  ): AsyncIterable<Uint8Array>;
}

/** Octets that are worked on at a time, before others have a turn. */
const TURN_BYTES = 1024 * 1024;

/** Octets in memory as a source. */
export function bytesSource(bytes: Uint8Array): OctetSource {
  return {
    sizeBytes: bytes.length,
    bytes,
    async *stream({ from = 0 } = {}) {
      yield await Promise.resolve(bytes.subarray(from));
    },
  };
}

/** All octets, in pieces after each of which others have a turn. A piece is good until the next. */
export async function* pieceByPiece(
  source: OctetSource,
  { start, end }: OctetRange = { start: 0, end: source.sizeBytes },
): AsyncGenerator<Uint8Array> {
  let offset = start;
  let inTurnBytes = 0;
  const { bytes } = source;
  const chunks = bytes === null
    ? source.stream({ from: start, reuse: true })
    : [bytes.subarray(start)];
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length && offset < end;) {
      const piece = chunk.subarray(
        at,
        Math.min(at + TURN_BYTES, at + end - offset),
      );
      yield piece;
      at += piece.length;
      offset += piece.length;
      inTurnBytes += piece.length;
      if (inTurnBytes < TURN_BYTES) continue;
      inTurnBytes = 0;
      await setImmediate();
    }
    if (offset >= end) return;
  }
}
