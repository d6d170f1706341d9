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
