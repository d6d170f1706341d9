import { type AddressError, type Mailbox, scanMailbox } from "./address.ts";
import { decodeEncodedWords } from "./encoded_word.ts";

/** A mailbox of an address field (RFC 5322 3.4). */
export interface ListedMailbox {
  readonly mailbox: Mailbox;
  /** What stands beside the address, decoded: its name, and comments. */
  readonly beside: string;
}

/** What `parseAddressList` found. */
export type AddressListResult =
  | { readonly kind: "ok"; readonly mailboxes: readonly ListedMailbox[] }
  | AddressError;

/**
 * Reads the unfolded value of an address field, if there is but one way to read it: mailboxes with
 * commas between them, names as words or in quotes, comments that hold plain words. What RFC 5322
 * allows besides, or only once did, programs read in several ways, and so it is an error here:
 * groups, routes, empty places, comments within comments or addresses, quoted local parts with
 * more in them than an address has without quotes.
 */
export function parseAddressList(value: string): AddressListResult {
  return new ListParser(value).parse();
}

/** atext of RFC 5322 3.2.3 and UTF8-non-ascii of RFC 6532, with the dot of obs-phrase. */
const WORD = /[\w!#$%&'*+\-/=?^`{|}~.\u00a0-\ufffc]+/y;
const QUOTED = /"((?:[ !#-[\]-~\u00a0-\ufffc]|\\[ -~])*)"/y;
const COMMENT = /\(([ !#-'*+\-./0-9=?A-Z^-z{|}~\u00a0-\ufffc]*)\)/y;
const SPACE = /[ \t]*/y;
/** Local parts that need no quotes, but for dots that stand side by side. */
const PLAIN_LOCAL = /^[\w!#$%&'*+\-/=?^`{|}~.\u00a0-\ufffc]+$/;
/** Characters that mean something in addresses, and that others may stand for (Unicode UAX 15). */
const SPECIAL = /[\s@%!<>()[\],;:"\\]/g;

class ListParser {
  readonly #text: string;
  #at = 0;
  #beside: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  parse(): AddressListResult {
    const mailboxes: ListedMailbox[] = [];
    for (;;) {
      const found = this.#element();
      if (found.kind === "error") return found;
      mailboxes.push(found.listed);
      if (this.#at === this.#text.length) return { kind: "ok", mailboxes };
      if (this.#text[this.#at] !== ",") return this.#failure("expected a comma");
      this.#at++;
    }
  }

  #element(): { readonly kind: "ok"; readonly listed: ListedMailbox } | AddressError {
    this.#beside = [];
    this.#passSpace();
    const start = this.#at;
    const bare = scanMailbox(this.#text, start);
    if (bare.kind === "ok") {
      this.#at = bare.end;
      this.#passSpace();
      return this.#listed(bare.mailbox, start);
    }
    this.#passPhrase();
    if (this.#text[this.#at] !== "<") return this.#failure("expected an address");
    const addressAt = this.#at + 1;
    const angled = scanMailbox(this.#text, addressAt);
    if (angled.kind === "error") return angled;
    if (this.#text[angled.end] !== ">") return { ...this.#failure("expected >"), at: angled.end };
    this.#at = angled.end + 1;
    this.#passSpace();
    return this.#listed(angled.mailbox, addressAt);
  }

  #listed(
    mailbox: Mailbox,
    at: number,
  ): { readonly kind: "ok"; readonly listed: ListedMailbox } | AddressError {
    if (!isPlain(mailbox.localPart)) {
      return { kind: "error", at, reason: "unusual local part" };
    }
    const beside = decodeEncodedWords(this.#beside.join(" "));
    return { kind: "ok", listed: { mailbox, beside } };
  }

  /** Words, quoted strings, comments and the white space between them. */
  #passPhrase(): void {
    for (;;) {
      const part = this.#match(WORD)?.[0] ?? this.#match(QUOTED)?.[1]?.replace(/\\(.)/g, "$1");
      if (part === undefined) return;
      this.#beside.push(part);
      this.#passSpace();
    }
  }

  #passSpace(): void {
    for (;;) {
      this.#match(SPACE);
      const comment = this.#match(COMMENT)?.[1];
      if (comment === undefined) return;
      this.#beside.push(comment);
    }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #failure(reason: string): AddressError {
    return { kind: "error", at: this.#at, reason };
  }
}

/** Whether a local part is the same to programs that know of no quotes, and of no Unicode. */
function isPlain(localPart: string): boolean {
  if (!PLAIN_LOCAL.test(localPart)) return false;
  const folded = localPart.normalize("NFKC");
  return (folded.match(SPECIAL)?.length ?? 0) === (localPart.match(SPECIAL)?.length ?? 0);
}

/**
 * What looks like an address in text beside one: a reader may take it for the address. Characters
 * that only look like those of ASCII are taken for them.
 */
export function addressLikeWords(text: string): string[] {
  const folded = text.normalize("NFKC");
  const found: string[] = [];
  for (let at = folded.indexOf("@"); at >= 0; at = folded.indexOf("@", at + 1)) {
    const before = /[^\s@<>()[\],;:"\\]*$/.exec(folded.slice(Math.max(0, at - 64), at))?.[0] ?? "";
    const after = /^[^\s@<>()[\],;:"\\]*/.exec(folded.slice(at + 1, at + 256))?.[0] ?? "";
    if (before !== "" && after !== "") found.push(`${before}@${after}`);
  }
  return found;
}
