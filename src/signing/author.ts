import { addressParser } from "postal-mime";
import { parseMailbox } from "../mail/address.ts";
import { fieldText } from "../mail/headers.ts";
import type { MessageHeader } from "./header_canon.ts";

/** The domain of the first mailbox of From, A-labels in lower case; null when there is none. */
export function authorDomain({ bytes, fields }: MessageHeader): string | null {
  const field = fields.find(({ name }) => name.toLowerCase() === "from");
  if (field === undefined) return null;
  const [first] = addressParser(fieldText(bytes, field), { flatten: true });
  const parsed = parseMailbox(first?.address ?? "");
  if (parsed.kind === "error" || parsed.mailbox.domain.startsWith("[")) return null;
  return parsed.mailbox.domain;
}
