const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

const END_AFTER_LINE = new Uint8Array([DOT, CR, LF]);
const END_WITHIN_LINE = new Uint8Array([CR, LF, DOT, CR, LF]);

/**
 * Adds the transparency of RFC 5321 4.5.2 to a message that passes in chunks, split anywhere: a
 * line that begins with a dot gets a second one. Lines end with CRLF and nothing else.
 */
export class DotEncoder {
  #atLineStart = true;
  #afterCr = false;

  /** Returns the chunk itself where no line in it needs a dot, otherwise a longer copy. */
  encode(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const dots = this.#dotPositions(chunk);
    this.#remember(chunk);
    return dots.length === 0 ? chunk : insertDots(chunk, dots);
  }

  /**
   * Takes note of a chunk that is known to need no dots (`BodyFacts.dotLines` is 0) without
   * looking through it.
   */
  pass(chunk: Uint8Array): Uint8Array {
    if (chunk.length > 0) this.#remember(chunk);
    return chunk;
  }

  /** The end of mail data, with the CRLF that a message not ending in one lacks. */
  end(): Uint8Array {
    return this.#atLineStart ? END_AFTER_LINE : END_WITHIN_LINE;
  }

  #dotPositions(chunk: Uint8Array): number[] {
    const positions: number[] = [];
    if (this.#atLineStart && chunk[0] === DOT) positions.push(0);
    let lf = chunk.indexOf(LF);
    while (lf >= 0) {
      const afterCr = lf === 0 ? this.#afterCr : chunk[lf - 1] === CR;
      if (chunk[lf + 1] === DOT && afterCr) positions.push(lf + 1);
      lf = chunk.indexOf(LF, lf + 1);
    }
    return positions;
  }

  #remember(chunk: Uint8Array): void {
    const last = chunk.length - 1;
    const beforeLastIsCr = last === 0 ? this.#afterCr : chunk[last - 1] === CR;
    this.#atLineStart = chunk[last] === LF && beforeLastIsCr;
    this.#afterCr = chunk[last] === CR;
  }
}

/**
 * Yields the octets of a message as DATA carries them, the end of mail data included. With
 * `dotLines` 0 (from the message's `BodyFacts`) the chunks are not looked through.
 */
export async function* encodeDots(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { dotLines }: { dotLines?: number } = {},
): AsyncGenerator<Uint8Array> {
  const encoder = new DotEncoder();
  for await (const chunk of chunks) {
    yield dotLines === 0 ? encoder.pass(chunk) : encoder.encode(chunk);
  }
  yield encoder.end();
}

function insertDots(chunk: Uint8Array, positions: readonly number[]): Uint8Array {
  const stuffed = new Uint8Array(chunk.length + positions.length);
  let from = 0;
  let to = 0;
  for (const position of positions) {
    stuffed.set(chunk.subarray(from, position), to);
    to += position - from;
    stuffed[to++] = DOT;
    from = position;
  }
  stuffed.set(chunk.subarray(from), to);
  return stuffed;
}
