const BACKSPACES = ["\b", "\x7f"];
const ENDS = ["\r", "\n"];
/** Control-C, Control-D and Escape. */
const GIVE_UPS = ["\x03", "\x04", "\x1b"];

/**
 * Reads a line from the terminal without showing it; null where somebody gave up. `ask` is called
 * when nothing is shown any more, so that the fast are not seen either.
 */
export async function readHiddenLine(ask: () => void): Promise<string | null> {
  const reader = Deno.stdin;
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1024);
  let line: string[] = [];
  reader.setRaw(true);
  try {
    ask();
    for (;;) {
      const lengthBytes = await reader.read(buffer);
      if (lengthBytes === null) return null;
      const typed = decoder.decode(buffer.subarray(0, lengthBytes), { stream: true });
      for (const character of typed) {
        if (ENDS.includes(character)) return line.join("");
        if (GIVE_UPS.includes(character)) return null;
        line = BACKSPACES.includes(character) ? line.slice(0, -1) : [...line, character];
      }
    }
  } finally {
    reader.setRaw(false);
  }
}
