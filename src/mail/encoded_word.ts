const ENCODED_WORD = /=\?([^?\s*]+)(?:\*[^?\s]*)?\?([bq])\?([^?\s]*)\?=/gi;

interface Word {
  readonly charset: string;
  readonly bytes: Uint8Array;
}

/**
 * Decodes the encoded-words of RFC 2047 (with the language suffix of RFC 2231) in an unfolded
 * field value. A word in an unknown charset or encoding stays as it is. White space between
 * two encoded-words is dropped (RFC 2047 6.2), and octets of neighbours in one charset are joined
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
    if (word !== null && pending.length > 0 && /^[ \t]*$/.test(between)) {
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

function parseWord([, charset = "", encoding, encoded = ""]: RegExpExecArray): Word | null {
  if (decoderFor(charset) === null) return null;
  const bytes = encoding?.toLowerCase() === "b" ? fromBase64(encoded) : fromQ(encoded);
  return bytes === null ? null : { charset: charset.toLowerCase(), bytes };
}

function joinWords(words: readonly Word[]): string {
  let text = "";
  for (let first = 0; first < words.length;) {
    const charset = words[first]?.charset ?? "utf-8";
    const decoder = decoderFor(charset);
    for (; first < words.length && words[first]?.charset === charset; first++) {
      text += decoder?.decode(words[first]?.bytes, { stream: true }) ?? "";
    }
    text += decoder?.decode() ?? "";
  }
  return text;
}

function decoderFor(charset: string): TextDecoder | null {
  try {
    return new TextDecoder(charset);
  } catch {
    return null; // RangeError: the runtime does not know the label.
  }
}

function fromBase64(encoded: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The Q encoding of RFC 2047 4.2; an `=` without two hexadecimal digits stands for itself. */
function fromQ(encoded: string): Uint8Array {
  const text = encoded.replaceAll("_", " ").replace(
    /=([0-9a-f]{2})/gi,
    (_match, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
  return Uint8Array.from(text, (char) => char.charCodeAt(0) & 0xff);
}
