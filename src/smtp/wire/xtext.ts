import { encodeText } from "../../base/bytes.ts";

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

/** Whether `text` is xtext. */
export function isXtext(text: string): boolean {
  return /^([!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(text);
}
