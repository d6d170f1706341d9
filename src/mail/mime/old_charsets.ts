import { Buffer } from "node:buffer";

const SHIFTED = /\+([A-Za-z\d+/]*)-?/g;

/** UTF-7 (RFC 2152), which some old mailers still write. */
export function decodeUtf7(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString("latin1");
  return text.replace(SHIFTED, (written, base64: string) => {
    if (base64 === "") return written === "+-" ? "+" : written;
    const units = Buffer.from(base64, "base64");
    return new TextDecoder("utf-16be").decode(
      units.subarray(0, units.length - units.length % 2),
    );
  });
}

/** UTF-32, by its mark, else in the order that its name says. */
export function decodeUtf32(
  octets: Uint8Array,
  { isLittle }: { isLittle: boolean },
): string {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const isMarked = octets.length >= 4 && view.getUint32(0, true) === 0xfeff;
  const chars: string[] = [];
  for (let at = 0; at + 4 <= octets.length; at += 4) {
    const code = view.getUint32(at, isLittle || isMarked);
    if (code === 0xfeff && at === 0) continue;
    const isChar = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    chars.push(isChar ? String.fromCodePoint(code) : "\ufffd");
  }
  return octets.length % 4 === 0 ? chars.join("") : `${chars.join("")}\ufffd`;
}

/** HZ (RFC 1843): between `~{` and `~}` two octets of seven bits are a character of GB 2312. */
export function decodeHz(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString("latin1");
  const decoder = new TextDecoder("gbk");
  return text.replace(
    /~(?:\{([^~\n]*)(?:~\}|$|(?=\n))|~|\r?\n)/g,
    (written, shifted?: string) => {
      if (shifted === undefined) return written === "~~" ? "~" : "";
      return decoder.decode(
        Uint8Array.from(shifted, (char) => char.charCodeAt(0) | 0x80),
      );
    },
  );
}

/** Sets of two octets a character, and where the runtime has them with the high bits set. */
const WIDE_SETS: Readonly<Record<string, { label: string; prefix?: number }>> = {
  "$@": { label: "euc-jp" },
  "$B": { label: "euc-jp" },
  "$(@": { label: "euc-jp" },
  "$(B": { label: "euc-jp" },
  "$(D": { label: "euc-jp", prefix: 0x8f },
  "$(Q": { label: "euc-jp" },
  "$(O": { label: "euc-jp" },
  "$(C": { label: "euc-kr" },
  "$)C": { label: "euc-kr" },
  "$A": { label: "gbk" },
  "$(A": { label: "gbk" },
  "$)A": { label: "gbk" },
};
/** Sets of one octet a character for the right half (RFC 1554). */
const RIGHT_SETS: Readonly<Record<string, string>> = {
  ".A": "iso-8859-1",
  ".F": "iso-8859-7",
};
const ESC = 0x1b;

/**
 * ISO-2022-JP with its extensions, ISO-2022-KR and ISO-2022-CN (RFC 1468, 1554, 1557, 1922):
 * escape sequences choose the set of the octets behind them, and SO and SI switch to another and
 * back. Each line begins in ASCII.
 */
export function decodeIso2022(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("latin1");
  const state = { left: "(B", shifted: "", right: "", isShifted: false };
  const pieces = text.split(
    // deno-lint-ignore no-control-regex
    /(\x1b(?:N[\x20-\x7f]|\$[()*+]?[@-Z]|[()*]?[@-Z]|\.[AF])|[\x0e\x0f\n])/,
  );
  return pieces.map((piece) => iso2022Piece(piece, state)).join("");
}

interface Iso2022State {
  /** The sets in use, by the ends of the sequences that chose them. */
  left: string;
  shifted: string;
  right: string;
  isShifted: boolean;
}

/** The text of a piece; empty for one that changes the state. */
function iso2022Piece(piece: string, state: Iso2022State): string {
  if (piece === "\n") {
    state.left = "(B";
    state.isShifted = false;
    return piece;
  }
  if (piece === "\x0e" || piece === "\x0f") {
    state.isShifted = piece === "\x0e";
    return "";
  }
  if (piece.charCodeAt(0) !== ESC) {
    return inSet(piece, state.isShifted ? state.shifted : state.left);
  }
  const end = piece.slice(1);
  if (end.startsWith("N")) { // one character of the right half
    const set = RIGHT_SETS[state.right];
    return set === undefined ? "\ufffd" : highOf(end.slice(1), set);
  }
  if (end.startsWith(".")) state.right = end;
  else if (/^\$[)*+]/.test(end)) state.shifted = end;
  else state.left = end;
  return "";
}

function inSet(octets: string, set: string): string {
  if (set === "(I" || set === ")I") return highOf(octets, "shift_jis");
  const wide = WIDE_SETS[set];
  if (wide === undefined) {
    if (/^(?:\(?[BJ@H])?$/.test(set)) return octets.replace(/[\x80-\xff]/g, "\ufffd");
    return octets.replace(/[^\s]/g, "\ufffd"); // a set that is not known
  }
  const { prefix } = wide;
  if (prefix === undefined) return highOf(octets, wide.label);
  const pairs = octets.match(/[\x21-\x7e]{2}/g) ?? [];
  return highOf(
    pairs.map((pair) => String.fromCharCode(prefix & 0x7f) + pair).join(""),
    wide.label,
  );
}

/** Characters of seven bits with their high bits set, in a charset of the runtime. */
function highOf(octets: string, label: string): string {
  const high = Uint8Array.from(octets, (char) => {
    const code = char.charCodeAt(0);
    return code === 0x0f || code > 0x20 ? code | 0x80 : code;
  });
  return new TextDecoder(label).decode(high);
}
