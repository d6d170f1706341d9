// C0 and C1 controls, DEL, the line and paragraph separators, and the marks that change the
// direction of the text around them (Unicode UAX 9), which can make a line read as another.
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const UNSAFE_EACH = new RegExp(UNSAFE, "g");
const UNSAFE_RUN = new RegExp(`${UNSAFE.source}+`, "g");

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\t", "\\t"],
  ["\n", "\\n"],
  ["\r", "\\r"],
]);

// A character takes at most 4 octets, so these keep a line with its indentation under 998.
const HARD_BREAK_CHARS = 200;
const LONG_WORD_PIECES = new RegExp(`.{1,${HARD_BREAK_CHARS}}`, "gu");
const LONGEST_ADDRESS_CHARS = 300;

/**
 * Text from elsewhere made fit for one line that people read: every run of control
 * characters, line breaks included, becomes one space.
 */
export function withoutControls(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_RUN, " ") : text;
}

/** Cuts `text` to at most `maxChars` UTF-16 units, an ellipsis included, and no half character. */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const last = text.charCodeAt(maxChars - 2);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return `${text.slice(0, splitsPair ? maxChars - 2 : maxChars - 1)}…`;
}

/** A mailbox fit to stand in a header field: no controls, and short enough for one line. */
export function addressText(mailbox: string): string {
  return cutText(withoutControls(mailbox), LONGEST_ADDRESS_CHARS);
}

/**
 * Breaks `text` at spaces into lines of about `widthChars`, for folded fields and for reading.
 * A word that is longer than `HARD_BREAK_CHARS` is cut, so that no line can pass 998 octets.
 */
export function wrapText(text: string, widthChars: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap(breakWord)) {
    if (line !== "" && line.length + 1 + word.length > widthChars) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

function breakWord(word: string): string[] {
  if (word.length <= HARD_BREAK_CHARS) return [word];
  return word.match(LONG_WORD_PIECES) ?? [];
}

/** Whether every character is ASCII. */
export function isAsciiText(text: string): boolean {
  return !/[^\p{ASCII}]/u.test(text);
}

/** Text from elsewhere on one line, with nothing lost: `\n` for a line feed, `\u{9b}` for others. */
export function escapeControls(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(
    UNSAFE_EACH,
    (control) => NAMED_ESCAPES.get(control) ?? `\\u{${control.charCodeAt(0).toString(16)}}`,
  );
}
