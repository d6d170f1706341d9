import { decodeEncodedWords } from "./encoded_word.ts";
import { fieldText, FieldWalk } from "./headers.ts";
import { cutText, withoutControls } from "./safe_text.ts";

const LOOKED_AT_BYTES = 64 * 1024;
const RAW_VALUE_LIMIT_BYTES = 2048;
const TEXT_LIMIT_CHARS = 200;

/** Header fields kept beside the message so that lists need not open it. */
export interface MessageSummary {
  readonly subject: string;
  readonly from: string;
  readonly messageId: string;
}

/**
 * Reads the three fields that people know a message by: decoded (RFC 2047, RFC 6532), without
 * control characters, each at most 200 characters; empty where the message has none. Only the
 * first 64 KiB of the message are looked at, so its beginning will do.
 */
export function summarize(bytes: Uint8Array): MessageSummary {
  const looked = bytes.length > LOOKED_AT_BYTES ? bytes.subarray(0, LOOKED_AT_BYTES) : bytes;
  const walk = new FieldWalk(looked);
  let subject: string | null = null;
  let from: string | null = null;
  let messageId: string | null = null;
  while ((subject === null || from === null || messageId === null) && walk.advance()) {
    if (subject === null && walk.nameIs("subject")) subject = displayText(looked, walk);
    else if (from === null && walk.nameIs("from")) from = displayText(looked, walk);
    else if (messageId === null && walk.nameIs("message-id")) messageId = displayText(looked, walk);
  }
  return { subject: subject ?? "", from: from ?? "", messageId: messageId ?? "" };
}

function displayText(bytes: Uint8Array, { valueStart, valueEnd }: FieldWalk): string {
  const cutEnd = Math.min(valueEnd, valueStart + RAW_VALUE_LIMIT_BYTES);
  const text = decodeEncodedWords(fieldText(bytes, { valueStart, valueEnd: cutEnd }));
  return cutText(withoutControls(text).trim(), TEXT_LIMIT_CHARS);
}
