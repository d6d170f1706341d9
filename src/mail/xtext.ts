import { decodeText, encodeText } from "../base/bytes.ts";

/**
 * Encodes text as xtext (RFC 3461 section 4): `+`, `=` and what is no printable ASCII becomes
 * `+` and two hexadecimal digits an octet.
 */
export function encodeXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]/gu, (character) => {
    let encoded = "";
    for (const octet of encodeText(character)) {
      encoded += `+${octet.toString(16).toUpperCase().padStart(2, "0")}`;
    }
    return encoded;
  });
}

/**
 * Decodes xtext (RFC 3461 section 4): `+` and two upper-case hexadecimal digits stand for an
 * octet. What is not of that form is left as it is. Octets above 127 are read as UTF-8.
 */
export function decodeXtext(text: string): string {
  if (!text.includes("+")) return text;
  return text.replace(/(?:\+[0-9A-F]{2})+/g, (encoded) => {
    const octets = encoded.slice(1).split("+").map((hex) => parseInt(hex, 16));
    return decodeText(Uint8Array.from(octets));
  });
}

/**
 * Decodes an address of type utf-8 (RFC 6533 section 3): xtext in which `\x{HEX}` stands for a
 * character.
 */
export function decodeUtf8Xtext(text: string): string {
  return decodeXtext(text).replace(/\\x\{([0-9A-F]{2,6})\}/g, (encoded, hex: string) => {
    const point = parseInt(hex, 16);
    return point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)
      ? encoded
      : String.fromCodePoint(point);
  });
}

/** The value of ORCPT in ASCII: what stands in UTF-8 becomes `\x{HEX}` (RFC 6533 section 3). */
export function asciiOriginalRecipient(value: string): string {
  return value.replace(/[^\p{ASCII}]/gu, (character) => {
    return `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
  });
}

/**
 * A mailbox as the value of ORCPT, in ASCII: of type rfc822 in xtext (RFC 3461 section 4.2) or,
 * with characters beyond ASCII, of type utf-8 (RFC 6533 section 3).
 */
export function originalRecipientOf(mailbox: string): string {
  const type = /^[\u0020-\u007e]*$/.test(mailbox) ? "rfc822" : "utf-8";
  const address = mailbox.replace(/[^!-*,-<>-[\]-~]/gu, (character) => {
    const point = character.codePointAt(0) ?? 0;
    const hex = point.toString(16).toUpperCase().padStart(2, "0");
    return type === "rfc822" ? (character === "\\" ? character : `+${hex}`) : `\\x{${hex}}`;
  });
  return `${type};${address}`;
}
