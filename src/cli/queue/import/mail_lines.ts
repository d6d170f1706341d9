import { Buffer } from "node:buffer";

/** Which quoted `From ` lines lose a `>`: none, those with one, or those with any number. */
export type FromQuoting = "none" | "one" | "any";

const LF = 10;
const CR = 13;
/** A line without an end is passed on in pieces of this size. */
const LONGEST_KEPT_BYTES = 256 * 1024;

/**
 * Undoes the quoting of an mbox, and makes line ends of carriage returns that stand alone. Works
 * on whole lines; each chunk may be kept.
 */
export async function* mailLines(
  chunks: AsyncIterable<Uint8Array>,
  { quoting }: { quoting: FromQuoting },
): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  let isLineStart = true;
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    const lf = bytes.lastIndexOf(LF);
    let cut = lf + 1;
    if (cut === 0 && bytes.length > LONGEST_KEPT_BYTES) cut = bytes.length - 1; // perhaps a CR
    if (cut > 0) {
      yield linesOf(bytes.subarray(0, cut), { quoting, isLineStart });
      isLineStart = bytes[cut - 1] === LF;
    }
    rest = bytes.subarray(cut);
  }
  if (rest.length > 0) yield linesOf(rest, { quoting, isLineStart });
}

function linesOf(
  bytes: Buffer,
  { quoting, isLineStart }: { quoting: FromQuoting; isLineStart: boolean },
): Uint8Array {
  const mayQuote = quoting !== "none" && bytes.includes(">");
  if (!mayQuote && !bytes.includes(CR)) return bytes;
  // latin1 makes one character of each octet and the other way round, so that none changes.
  const text = bytes.toString("latin1");
  const broken = text.replace(/\r(?!\n)/g, "\n");
  return Buffer.from(mayQuote ? unquoted(broken, { quoting, isLineStart }) : broken, "latin1");
}

function unquoted(
  text: string,
  { quoting, isLineStart }: { quoting: FromQuoting; isLineStart: boolean },
): string {
  const pattern = quoting === "one" ? /\n>(From )/g : /\n>(>*From )/g;
  if (!isLineStart) return text.replace(pattern, "\n$1");
  return `\n${text}`.replace(pattern, "\n$1").slice(1);
}
