import { addressParser } from "postal-mime";
import { parseMailbox } from "../mail/address.ts";
import { fieldText, findField, type HeaderSection } from "../mail/headers.ts";

/** The domain of the first mailbox of From, A-labels in lower case; null when there is none. */
export function authorDomain(bytes: Uint8Array, section: HeaderSection): string | null {
  const field = findField(section, "from");
  if (field === null) return null;
  const [first] = addressParser(fieldText(bytes, field), { flatten: true });
  const parsed = parseMailbox(first?.address ?? "");
  if (parsed.kind === "error" || parsed.mailbox.domain.startsWith("[")) return null;
  return parsed.mailbox.domain;
}
