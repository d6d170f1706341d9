import { decodeEncodedWords } from "./encoded_word.ts";
import { fieldText, type HeaderField, type MessageHeader } from "./headers.ts";
import { cutText, withoutControls } from "./safe_text.ts";

const RAW_VALUE_LIMIT_BYTES = 2048;
const TEXT_LIMIT_CHARS = 200;
/** Values kept of one field that stands several times. */
const VALUES_LIMIT = 4;

/**
 * The values of some header fields, each as `shownText` has it, at most 4 of each name. Null when
 * the message has none of them.
 *
 * @param names in lower case.
 */
export function headerValues(
  { bytes, fields }: MessageHeader,
  names: readonly string[],
): Readonly<Record<string, readonly string[]>> | null {
  if (names.length === 0) return null;
  const found = new Map<string, string[]>();
  for (const field of fields) {
    const name = field.name.toLowerCase();
    if (!names.includes(name)) continue;
    const values = found.get(name);
    if (values === undefined) found.set(name, [shownText(bytes, field)]);
    else if (values.length < VALUES_LIMIT) values.push(shownText(bytes, field));
  }
  return found.size === 0 ? null : Object.fromEntries(found);
}

/**
 * A value for people to read: decoded (RFC 2047, RFC 6532), without control characters, at most
 * 200 characters.
 */
export function shownText(bytes: Uint8Array, { valueStart, valueEnd }: HeaderField): string {
  const cutEnd = Math.min(valueEnd, valueStart + RAW_VALUE_LIMIT_BYTES);
  const text = decodeEncodedWords(fieldText(bytes, { valueStart, valueEnd: cutEnd }));
  return cutText(withoutControls(text).trim(), TEXT_LIMIT_CHARS);
}
