import { Buffer } from "node:buffer";
import { concatBytes, encodeText } from "../base/bytes.ts";
import { readText } from "./mime/charset.ts";
import { transferDecode } from "./mime/transfer_decode.ts";

/**
 * An encoded-word (RFC 2047 section 2). Many senders leave blanks and question marks in it as they
 * are; a limit keeps the time linear where no word is closed.
 */
const ENCODED_WORD =
  /=\?([^?\s*]{1,100})(?:\*[^?\s]{0,100})?\?([bq])\?((?:[^?\r\n]|\?(?!=)){0,4000})\?=/gi;

interface Word {
  readonly charset: string;
  readonly bytes: Uint8Array;
}

/**
 * Decodes the encoded-words of RFC 2047 (with the language suffix of RFC 2231) in an unfolded
 * field value, in a charset that nobody knows as well as can be. White space between two
 * encoded-words is dropped (RFC 2047 6.2), and octets of neighbours in one charset are joined
 * before they are decoded, because many senders split a character between two words.
 */
export function decodeEncodedWords(text: string): string {
  if (!text.includes("=?")) return text;
  let decoded = "";
  let end = 0;
  let pending: Word[] = [];
  for (const match of text.matchAll(ENCODED_WORD)) {
    const between = text.slice(end, match.index);
    const word = parseWord(match);
    if (word !== null && pending.length > 0 && /^\s*$/.test(between)) {
      pending.push(word);
    } else {
      decoded += joinWords(pending) + between;
      pending = word === null ? [] : [word];
      if (word === null) decoded += match[0];
    }
    end = match.index + match[0].length;
  }
  return decoded + joinWords(pending) + text.slice(end);
}

/** Null for a word whose base64 is none. */
function parseWord(
  [, charset = "", encoding, encoded = ""]: RegExpExecArray,
): Word | null {
  const isBase64 = encoding?.toLowerCase() === "b";
  const bytes = isBase64 ? transferDecode(encodeText(encoded), "base64") : fromQ(encoded);
  const isMalformed = isBase64 && bytes.length === 0 && encoded !== "";
  return isMalformed ? null : { charset: charset.toLowerCase(), bytes };
}

function joinWords(words: readonly Word[]): string {
  let text = "";
  for (let first = 0; first < words.length;) {
    const charset = words[first]?.charset ?? "utf-8";
    const octets: Uint8Array[] = [];
    for (; first < words.length && words[first]?.charset === charset; first++) {
      octets.push(words[first]?.bytes ?? new Uint8Array(0));
    }
    text += readText(concatBytes(octets), charset).text;
  }
  return text;
}

/** The Q encoding of RFC 2047 4.2; an `=` without two hexadecimal digits stands for itself. */
function fromQ(encoded: string): Uint8Array {
  if (!/[=_]/.test(encoded)) return encodeText(encoded);
  const octets = Buffer.from(encodeText(encoded.replaceAll("_", " "))).toString(
    "latin1",
  );
  return Buffer.from(
    octets.replace(
      /=([\da-f]{2})/gi,
      (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)),
    ),
    "latin1",
  );
}
