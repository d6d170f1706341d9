import { decodeEncodedWords } from "./encoded_word.ts";
import { fieldText, FieldWalk } from "./headers.ts";
import { cutText, withoutControls } from "./safe_text.ts";

const LOOKED_AT_BYTES = 64 * 1024;
const RAW_VALUE_LIMIT_BYTES = 2048;
const TEXT_LIMIT_CHARS = 200;
/** Values kept of one field that stands several times. */
const VALUES_LIMIT = 4;

/**
 * The values of some header fields: decoded (RFC 2047, RFC 6532), without control characters, at
 * most 4 of each name and 200 characters of each value. Only the first 64 KiB of the message are
 * looked at. Null when the message has none of them.
 *
 * @param names in lower case.
 */
export function headerValues(
  bytes: Uint8Array,
  names: readonly string[],
): Readonly<Record<string, readonly string[]>> | null {
  if (names.length === 0) return null;
  const looked = bytes.length > LOOKED_AT_BYTES ? bytes.subarray(0, LOOKED_AT_BYTES) : bytes;
  const walk = new FieldWalk(looked);
  const found = new Map<string, string[]>();
  while (walk.advance()) {
    const name = names.find((candidate) => walk.nameIs(candidate));
    if (name === undefined) continue;
    const values = found.get(name);
    if (values === undefined) found.set(name, [valueText(looked, walk)]);
    else if (values.length < VALUES_LIMIT) values.push(valueText(looked, walk));
  }
  return found.size === 0 ? null : Object.fromEntries(found);
}

function valueText(bytes: Uint8Array, { valueStart, valueEnd }: FieldWalk): string {
  const cutEnd = Math.min(valueEnd, valueStart + RAW_VALUE_LIMIT_BYTES);
  const text = decodeEncodedWords(fieldText(bytes, { valueStart, valueEnd: cutEnd }));
  return cutText(withoutControls(text).trim(), TEXT_LIMIT_CHARS);
}
