import { addressParser } from "postal-mime";
import { concatBytes } from "../base/bytes.ts";
import { parseMailbox } from "../mail/address.ts";
import { fieldText, HEADER_SECTION_LIMIT_BYTES, headerSection } from "../mail/headers.ts";
import { type Reply, reply } from "../mail/reply.ts";
import { decideUserSender, type SenderRules } from "../policy/user_sender.ts";

// RFC 3463 3.8: not authorized, as for the reverse-path.
const NOT_YOURS = reply(550, "5.7.1", "Author address (From) not allowed for this key");
const TOO_LONG = reply(554, "5.6.0", "The header section is too long to find its author");

/**
 * Looks at the authors of a message whose key may send as some mailboxes only: readers see From,
 * not the reverse-path. A message without an author is the reverse-path's.
 */
export class AuthorCheck {
  readonly #rules: SenderRules;
  readonly #head: Uint8Array[] = [];
  #headBytes = 0;

  constructor(rules: SenderRules) {
    this.#rules = rules;
  }

  /** Takes the next octets; the chunk may change afterwards. */
  take(chunk: Uint8Array): void {
    if (this.#rules.senders === null || this.#headBytes >= HEADER_SECTION_LIMIT_BYTES) return;
    const part = chunk.slice(0, HEADER_SECTION_LIMIT_BYTES - this.#headBytes);
    this.#head.push(part);
    this.#headBytes += part.length;
  }

  /** Why the message is refused; null when it is not. */
  refusal(): Reply | null {
    if (this.#rules.senders === null) return null;
    const octets = concatBytes(this.#head);
    const { fields, complete } = headerSection(octets);
    if (!complete && octets.length >= HEADER_SECTION_LIMIT_BYTES) return TOO_LONG;
    const authors = fields.filter(({ name }) => name.toLowerCase() === "from")
      .flatMap((field) => addressParser(fieldText(octets, field), { flatten: true }));
    return authors.every(({ address = "" }) => this.#isAllowed(address)) ? null : NOT_YOURS;
  }

  #isAllowed(address: string): boolean {
    const parsed = parseMailbox(address);
    if (parsed.kind === "error") return false;
    return decideUserSender(this.#rules, parsed.mailbox).kind === "accept";
  }
}
