import { isAscii, isUtf8 } from "node:buffer";
import { decodeText } from "../../base/bytes.ts";
import { decodeHz, decodeIso2022, decodeUtf32, decodeUtf7 } from "./old_charsets.ts";
import { SINGLE_BYTE } from "./single_byte.ts";

/** Octets as text, and whether that is what they say. */
export interface DecodedText {
  readonly text: string;
  /**
   * Whether the text is what the sender wrote: false where the charset is not known, or octets
   * are none of its characters.
   */
  readonly isCertain: boolean;
}

type Decode = (octets: Uint8Array) => string;

/** Names beside those of the WHATWG Encoding Standard, without what is no letter or digit. */
const ALIASES: Readonly<Record<string, string>> = {
  ...{
    utf8mb4: "utf-8",
    utf8mb3: "utf-8",
    utf8strict: "utf-8",
    cputf8: "utf-8",
    cp65001: "utf-8",
  },
  ...{
    latin1: "iso-8859-1",
    latin2: "iso-8859-2",
    latin9: "iso-8859-15",
    latin0: "iso-8859-15",
  },
  ...{
    ansi: "windows-1252",
    win1252: "windows-1252",
    cp932: "shift_jis",
    ms932: "shift_jis",
  },
  ...{
    cp936: "gbk",
    ms936: "gbk",
    cp949: "euc-kr",
    ms949: "euc-kr",
    cp950: "big5",
    ms950: "big5",
  },
  ...{
    cp51932: "euc-jp",
    cp20866: "koi8-r",
  },
  ...{
    cp21866: "koi8-u",
    cp54936: "gb18030",
    cp28591: "iso-8859-1",
    cp28592: "iso-8859-2",
  },
  ...{
    ksx1001: "euc-kr",
    big5hkscs: "big5",
    eucjisx0213: "euc-jp",
    xsjis: "shift_jis",
  },
  ...{
    cngb: "gbk",
    uhc: "euc-kr",
    xwindows949: "euc-kr",
    xuhc: "euc-kr",
  },
  ...{
    macroman: "macintosh",
    xmacroman: "macintosh",
  },
  ...{
    tis620: "windows-874",
    iso885911: "windows-874",
    iso885912: "iso-8859-13",
  },
};

/** Names that say no more than that it is text. */
const UNTOLD =
  /^(?:us-?ascii|ascii|ansi_?x3\.4-?19(?:68|86)|iso[-_]?646.*|iso-ir-6|646|cp367|ibm367|7-?bit|8-?bit|binary|default|none|n\/a|unknown(?:-8bit)?|x-unknown|x-user-defined|unspecified|null|undefined|text|plain|)$/;

/**
 * Decodes text. UTF-8 where the octets are that and nothing says otherwise, else windows-1252:
 * without a charset, with one that stands for ASCII, and with one that nobody knows. A charset
 * that the octets do not fit gives way to UTF-8 where they are that, and windows-1252 always does.
 *
 * @param label the charset as it is written.
 */
export function readText(
  octets: Uint8Array,
  label: string | null,
): DecodedText {
  const name = cleanLabel(label ?? "");
  if (UNTOLD.test(name)) return { text: guess(octets), isCertain: true };
  const decode = decoderOf(name);
  if (decode === null) {
    return { text: guess(octets), isCertain: false };
  }
  if (WIDE.test(name) && isOctetText(octets)) return { text: decodeUtf8(octets), isCertain: true };
  const text = decode(octets);
  // Text in windows-1252 is hardly ever UTF-8 by chance, but much UTF-8 is called windows-1252.
  const isMisnamed = WESTERN.has(name) && isUtf8(octets) && !isAscii(octets);
  if (isMisnamed) return { text: decodeUtf8(octets), isCertain: false };
  if (!text.includes("\ufffd")) return { text, isCertain: true };
  // What has no high bits is UTF-8, too, and no less in the charset that it names.
  if (isUtf8(octets) && !isAscii(octets)) return { text: decodeUtf8(octets), isCertain: true };
  // Text of one language in another's charset has no sequence of several octets that fits.
  const isOther = /^utf-?8/.test(name) && !/[\u0080-\ufffc]/.test(text);
  return { text: isOther ? guess(octets) : text, isCertain: false };
}

/** What programs write that do not ask what they send. */
const WESTERN: ReadonlySet<string> = new Set([
  ...["iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252"],
]);

/** Charsets in which ASCII has octets of zero. */
const WIDE = /^(?:utf-?(?:16|32)|ucs-?[24]|iso-10646-ucs-[24]|unicode)/;

/** Whether octets that are to have zeros among them are UTF-8 without any. */
function isOctetText(octets: Uint8Array): boolean {
  return octets.length > 0 && !octets.includes(0) && isUtf8(octets);
}

/** Whether a name says no more of a text than that it is one. */
export function saysNothing(label: string): boolean {
  return UNTOLD.test(cleanLabel(label));
}

/** As `readText`, for where nobody asks how certain it is. */
export function decodeCharset(
  octets: Uint8Array,
  label: string | null,
): string {
  return readText(octets, label).text;
}

/** Whether octets in a charset of that name can be decoded. */
export function isKnownCharset(label: string): boolean {
  const name = cleanLabel(label);
  return UNTOLD.test(name) || decoderOf(name) !== null;
}

/** A name without the quotes, blanks and comments that real mail puts around it. */
function cleanLabel(label: string): string {
  return /[\w][\w.:+\/-]*/.exec(label.slice(0, 100))?.[0].toLowerCase() ?? "";
}

function decoderOf(name: string): Decode | null {
  const squeezed = name.replace(/[^a-z\d]/g, "");
  if (/^(?:unicode11)?utf7(?:imap)?$/.test(squeezed)) return decodeUtf7;
  if (/^(?:utf32|ucs4|iso10646ucs4)(?:le|be)?$/.test(squeezed)) {
    return (octets) => decodeUtf32(octets, { isLittle: squeezed.endsWith("le") });
  }
  if (squeezed === "hzgb2312" || squeezed === "hz") return decodeHz;
  if (/^(?:cs)?iso2022(?:jp|kr|cn)|^cp5022/.test(squeezed)) return decodeIso2022;
  if (squeezed === "utf16" || squeezed === "ucs2") return decodeUtf16;
  const table = SINGLE_BYTE[squeezed.replace(/^(?:ibm|dos|pc|cs(?:ibm|pc)?)(?=\d)/, "cp")];
  if (table !== undefined) return (octets) => decodeTable(octets, table);
  const dashed = /^(?:iso|latin)?[-_]?(8859)[-_]?(\d{1,2})/.exec(name);
  const windows = /^(?:cp|win(?:dows)?|ms|x-cp|ibm)[-_]?(125\d|874)$/.exec(
    name,
  );
  const candidates = [
    name,
    ALIASES[squeezed],
    dashed === null ? undefined : `iso-8859-${dashed[2]}`,
    windows === null ? undefined : `windows-${windows[1]}`,
    squeezed,
  ];
  for (const candidate of candidates) {
    const decoder = candidate === undefined ? null : platformDecoder(candidate);
    if (decoder !== null) return (octets) => decoder.decode(octets);
  }
  return null;
}

function platformDecoder(label: string): TextDecoder | null {
  try {
    return new TextDecoder(label);
  } catch {
    return null; // RangeError: the runtime does not know the label, or refuses to decode it
  }
}

function guess(octets: Uint8Array): string {
  return isUtf8(octets) ? decodeUtf8(octets) : windows1252.decode(octets);
}

const windows1252 = new TextDecoder("windows-1252");

/** Without the mark that some programs begin with. */
function decodeUtf8(octets: Uint8Array): string {
  const text = decodeText(octets);
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** RFC 2781 4.3: by its mark, else big-endian, unless every other octet says little. */
function decodeUtf16(octets: Uint8Array): string {
  const [first, second] = octets;
  const isMarked = first === 0xff && second === 0xfe ||
    first === 0xfe && second === 0xff;
  const isLittle = isMarked ? first === 0xff : second === 0 && first !== 0;
  return new TextDecoder(isLittle ? "utf-16le" : "utf-16be").decode(octets);
}

function decodeTable(octets: Uint8Array, table: string): string {
  let text = "";
  for (let from = 0; from < octets.length; from += 4096) {
    const units = Uint16Array.from(
      octets.subarray(from, from + 4096),
      (octet) => octet < 128 ? octet : table.charCodeAt(octet - 128),
    );
    text += String.fromCharCode(...units);
  }
  return text;
}
