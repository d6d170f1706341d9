/** What was written as one line, quotes apart. */
interface Paragraph {
  readonly depth: number;
  text: string;
  /** Whether the next line of the same depth belongs to it. */
  isOpen: boolean;
}

/**
 * Text as it was before `format=flowed` wrapped it (RFC 3676 section 4): one line a paragraph, its
 * quote marks in front of it once, without the blanks that keep lines from being misread.
 *
 * @param text lines that end in LF.
 * @param isDelSp whether the blank at a wrap was added with it (`delsp=yes`, section 4.5).
 */
export function unflow(
  text: string,
  { isDelSp }: { isDelSp: boolean },
): string {
  const paragraphs: Paragraph[] = [];
  for (const line of text.split("\n")) {
    addLine(paragraphs, readLine(line), isDelSp);
  }
  return paragraphs.map(written).join("\n");
}

function readLine(line: string): { depth: number; content: string } {
  let depth = 0;
  while (line[depth] === ">") depth++;
  const isStuffed = line[depth] === " ";
  return { depth, content: line.slice(isStuffed ? depth + 1 : depth) };
}

function addLine(
  paragraphs: Paragraph[],
  { depth, content }: { depth: number; content: string },
  isDelSp: boolean,
): void {
  const last = paragraphs.at(-1);
  const isSignature = content === "-- "; // section 4.3: it is never wrapped
  const isOpen = content.endsWith(" ") && !isSignature;
  const own = isOpen && isDelSp ? content.slice(0, -1) : content;
  // An empty line is one, even behind a blank that somebody forgot at the end of a paragraph.
  const isMore = content !== "" && !isSignature;
  if (last?.isOpen === true && last.depth === depth && isMore) {
    last.text += own;
    last.isOpen = isOpen;
    return;
  }
  paragraphs.push({ depth, text: own, isOpen });
}

function written({ depth, text, isOpen }: Paragraph): string {
  // A wrap that nothing of the same depth follows was none (section 4.5).
  const shown = isOpen ? text.trimEnd() : text;
  if (depth === 0) return shown;
  return `${">".repeat(depth)}${shown === "" ? "" : ` ${shown}`}`;
}
