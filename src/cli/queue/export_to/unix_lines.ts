import { Buffer } from "node:buffer";

const LF = 10;
/** A line without an end is passed on in pieces of this size. */
const LONGEST_KEPT_BYTES = 256 * 1024;

/**
 * Lines that end in LF alone, as mailboxes on disk have them; with `quotesFrom` each that begins
 * with `From `, whatever number of `>` stands before, gets one more `>` (mboxrd).
 */
export async function* unixLines(
  chunks: AsyncIterable<Uint8Array>,
  { quotesFrom }: { quotesFrom: boolean },
): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  let isLineStart = true;
  let endsLine = true;
  const give = (bytes: Buffer): Uint8Array => {
    // latin1 makes one character of each octet and the other way round, so that none changes.
    const text = bytes.toString("latin1").replaceAll("\r\n", "\n");
    endsLine = text.endsWith("\n");
    if (!quotesFrom) return Buffer.from(text, "latin1");
    const marked = `${isLineStart ? "\n" : ""}${text}`.replace(/\n(>*From )/g, "\n>$1");
    return Buffer.from(isLineStart ? marked.slice(1) : marked, "latin1");
  };
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    let cut = bytes.lastIndexOf(LF) + 1;
    if (cut === 0 && bytes.length > LONGEST_KEPT_BYTES) cut = bytes.length - 1; // perhaps a CR
    if (cut > 0) {
      yield give(bytes.subarray(0, cut));
      isLineStart = bytes[cut - 1] === LF;
    }
    rest = bytes.subarray(cut);
  }
  if (rest.length > 0) yield give(rest);
  if (!endsLine) yield Uint8Array.of(LF);
}
