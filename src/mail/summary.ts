import { shownText } from "./header_values.ts";
import { findField, type MessageHeader } from "./headers.ts";

/** Header fields kept beside the message so that lists need not open it. */
export interface MessageSummary {
  readonly subject: string;
  readonly from: string;
  readonly messageId: string;
}

/**
 * The three fields that people know a message by: decoded (RFC 2047, RFC 6532), without control
 * characters, each at most 200 characters; empty where the message has none.
 */
export function summarize(header: MessageHeader): MessageSummary {
  const text = (name: string): string => {
    const field = findField(header, name);
    return field === null ? "" : shownText(header.bytes, field);
  };
  return { subject: text("subject"), from: text("from"), messageId: text("message-id") };
}
