import { Buffer } from "node:buffer";
import { fieldText, findField, headerSection } from "../../../mail/headers.ts";

/** Where one message stands in an mbox. */
export interface MboxPart {
  /** Of its `From ` line. */
  readonly offset: number;
  /** The `From ` line without its end. */
  readonly fromLine: string;
  /** Of the message itself, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

interface Separator {
  readonly offset: number;
  readonly line: string;
  /** Where the line after it begins. */
  readonly nextLine: number;
  /** Where the message before it ends: before the blank line. */
  readonly formerEnd: number;
}

const WINDOW_BYTES = 1024 * 1024;
/** A `From ` line is not longer. */
const LINE_LIMIT_BYTES = 2048;
const HEADER_LIMIT_BYTES = 16 * 1024;
/** Octets before a line that tell whether a blank one is there. */
const LOOK_BACK_BYTES = 4;
const LF = 10;
const CR = 13;

/**
 * A time and a year, as every mbox has them in its `From ` lines (RFC 4155 appendix A); so a line
 * of text that begins with the word is not taken for one.
 */
const FROM_LINE = /^From .*\d{1,2}:\d{2}.*\b\d{4}\b/;

/**
 * Finds the messages of an mbox. Each begins with a `From ` line at the start of the file or after
 * a blank line. With `usesLength`, a Content-Length field is believed where a message does end
 * there.
 */
export async function* splitMbox(
  file: Deno.FsFile,
  { usesLength }: { usesLength: boolean },
): AsyncGenerator<MboxPart> {
  const { size } = await file.stat();
  let open: Separator | null = null;
  let trustedEnd = 0;
  for await (const separator of separators(file, size)) {
    if (separator.offset < trustedEnd) continue; // a line of a message with Content-Length
    if (open !== null) yield partOf(open, separator.formerEnd);
    open = separator;
    if (usesLength) trustedEnd = await contentEnd(file, { start: separator.nextLine, size });
  }
  if (open !== null) yield partOf(open, await withoutBlankEnd(file, { open, size }));
}

function partOf({ offset, line, nextLine }: Separator, end: number): MboxPart {
  return { offset, fromLine: line, start: nextLine, end: Math.max(nextLine, end) };
}

async function* separators(file: Deno.FsFile, size: number): AsyncGenerator<Separator> {
  for (let base = 0;;) {
    const bytes = await readAt(file, { at: base, length: WINDOW_BYTES });
    const isLast = bytes.length === 0 || base + bytes.length >= size;
    const limit = isLast ? bytes.length : bytes.length - LINE_LIMIT_BYTES;
    for (let at = base === 0 ? 0 : LOOK_BACK_BYTES; at < limit;) {
      const start = base === 0 && at === 0 && bytes.indexOf("From ") === 0
        ? 0
        : bytes.indexOf("\nFrom ", Math.max(0, at - 1)) + 1;
      if (start === 0 && at > 0 || start >= limit) break;
      const found = separatorAt(bytes, { start, base });
      if (found !== null) yield found;
      if (start === 0 && found === null) break; // the file does not begin as an mbox
      at = start + 1;
    }
    if (isLast) return;
    base += limit - LOOK_BACK_BYTES;
  }
}

/** The separator at a line that begins with `From `; null for a line of text. */
function separatorAt(
  bytes: Buffer,
  { start, base }: { start: number; base: number },
): Separator | null {
  const lf = bytes.indexOf(LF, start);
  const lineEnd = lf === -1 ? bytes.length : lf;
  const line = bytes.toString("latin1", start, Math.min(lineEnd, start + LINE_LIMIT_BYTES));
  if (!FROM_LINE.test(line)) return null;
  const isFirst = base === 0 && start === 0;
  const blank = isFirst ? 0 : blankLineLength(bytes, start);
  if (!isFirst && blank === 0) return null;
  return {
    offset: base + start,
    line: line.trimEnd(),
    nextLine: base + Math.min(lineEnd + 1, bytes.length),
    formerEnd: base + start - blank,
  };
}

/** Octets of the blank line before `start`; 0 when there is none. */
function blankLineLength(bytes: Buffer, start: number): number {
  if (bytes[start - 2] === LF) return 1;
  return bytes[start - 2] === CR && bytes[start - 3] === LF ? 2 : 0;
}

/** Where the Content-Length of a message says it ends, when it does end there; else its start. */
async function contentEnd(
  file: Deno.FsFile,
  { start, size }: { start: number; size: number },
): Promise<number> {
  const head = await readAt(file, { at: start, length: HEADER_LIMIT_BYTES });
  const section = headerSection(head);
  const field = findField(section, "content-length");
  const text = field === null ? "" : fieldText(head, field);
  if (!section.complete || !/^\d{1,15}$/.test(text)) return start;
  const end = start + section.bodyOffset + Number(text);
  if (end >= size) return end <= size + 1 ? size : start;
  const after = await readAt(file, { at: end, length: 8 });
  return /^(?:\r?\n){0,2}(?:From |$)/.test(after.toString("latin1")) ? end : start;
}

/** The end of the last message: the blank line after it is not its own. */
async function withoutBlankEnd(
  file: Deno.FsFile,
  { open, size }: { open: Separator; size: number },
): Promise<number> {
  const tail = await readAt(file, { at: Math.max(open.nextLine, size - 4), length: 4 });
  const [blank = ""] = /(?<=\n)\r?\n$/.exec(tail.toString("latin1")) ?? [];
  return size - blank.length;
}

async function readAt(
  file: Deno.FsFile,
  { at, length }: { at: number; length: number },
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  await file.seek(at, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const read = await file.read(buffer.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}
