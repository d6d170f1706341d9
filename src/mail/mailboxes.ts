import { decodeEncodedWords } from "./encoded_word.ts";

/** A mailbox of a header field (RFC 5322 3.4). */
export interface NamedMailbox {
  /** The display name, decoded; empty where there is none. */
  readonly name: string;
  /** As written, without white space and comments; empty for a name without an address. */
  readonly address: string;
}

/** More than any field names that is not made to keep a reader busy. */
const MAILBOX_LIMIT = 10_000;

/**
 * The mailboxes of an unfolded address field in its order, groups opened. It takes what real mail
 * has: names without quotes, dots and at signs in them, routes, comments for names, empty places,
 * semicolons for commas. For what is shown and handed on; who decides by an address reads it
 * strictly.
 */
export function mailboxesIn(value: string): NamedMailbox[] {
  const mailboxes: NamedMailbox[] = [];
  let place = new Place();
  for (const token of tokensOf(value)) {
    if (token === "," || token === ";") {
      place.endInto(mailboxes);
      place = new Place();
      if (mailboxes.length >= MAILBOX_LIMIT) return mailboxes;
    } else if (token === ":" && !place.isAngled) {
      place = new Place(); // the name of a group
    } else {
      place.add(token);
    }
  }
  place.endInto(mailboxes);
  return mailboxes;
}

/**
 * Quoted strings, comments, what is in angle brackets, separators, and words between them. In an
 * encoded-word separators may stand as they are: many programs forget to encode them.
 */
const TOKEN =
  /=\?[^?\s"<>@]{1,100}\?[bq]\?[^?\s"<>@]{0,1000}\?=|"(?:[^"\\]|\\[^]?)*(?:"|$)|<[^<>]*(?:>|$)|[,;:>]|[^\s",;:<>()]+/iy;
const WHITE = /\s+/y;

function* tokensOf(value: string): Generator<string> {
  for (let at = 0; at < value.length;) {
    WHITE.lastIndex = at;
    if (WHITE.test(value)) at = WHITE.lastIndex;
    if (value[at] === "(") {
      const end = commentEnd(value, at);
      yield value.slice(at, end);
      at = end;
      continue;
    }
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(value)?.[0];
    if (token !== undefined) yield token;
    at += token?.length ?? 1;
  }
}

/** Comments may hold comments (RFC 5322 3.2.2). */
function commentEnd(value: string, start: number): number {
  let depth = 0;
  for (let at = start; at < value.length; at++) {
    const char = value[at];
    if (char === "\\") at++;
    else if (char === "(") depth++;
    else if (char === ")" && --depth === 0) return at + 1;
  }
  return value.length;
}

/** What stands between two separators. */
class Place {
  readonly #words: string[] = [];
  readonly #comments: string[] = [];
  #angled: string | null = null;

  /** Whether an address in angle brackets was seen. */
  get isAngled(): boolean {
    return this.#angled !== null;
  }

  add(token: string): void {
    if (token.startsWith("(")) {
      this.#comments.push(
        unescaped(token.slice(1, token.endsWith(")") ? -1 : undefined)),
      );
    } else if (token.startsWith("<")) {
      // Of two, the one that is an address counts.
      const inside = token.replace(/^<|>$/g, "");
      if (this.#angled === null || !this.#angled.includes("@")) {
        this.#angled = inside;
      }
    } else if (token !== ">") {
      this.#words.push(token);
    }
  }

  endInto(mailboxes: NamedMailbox[]): void {
    const address = this.#angled === null ? this.#bareAddress() : addressIn(this.#angled);
    const written = this.#words.map(unquoted).join(" ").trim();
    if (address === "" && /^[^\s@]+@[^\s@]+$/.test(written)) {
      mailboxes.push({ name: "", address: written }); // an address in quotes
      return;
    }
    const name = decodeEncodedWords(
      written === "" ? this.#comments.join(" ") : written,
    );
    if (address !== "" || name !== "") {
      mailboxes.push({ name: name.trim(), address });
    }
  }

  /** The address among words; blanks around its parts are taken out (RFC 5322 4.4). */
  #bareAddress(): string {
    const at = this.#words.findLastIndex((word) => word.includes("@") && !word.startsWith('"'));
    if (at < 0) return "";
    const word = this.#words[at] ?? "";
    const before = word.startsWith("@") ? 1 : 0;
    const after = word.endsWith("@") ? 1 : 0;
    return this.#words.splice(Math.max(0, at - before), 1 + before + after)
      .join("");
  }
}

/** The address in angle brackets without a route, blanks around its parts taken out (RFC 5322 4.4). */
function addressIn(inside: string): string {
  const route = /^\s*@[^:]*:/.exec(inside)?.[0].length ?? 0;
  const written = inside.slice(route).replace(/^\s*mailto:/i, "");
  if (written.startsWith('"')) return written.trim();
  return written.replace(/\([^()]*\)/g, "").replace(/\s*([.@])\s*/g, "$1").trim();
}

function unquoted(word: string): string {
  if (!word.startsWith('"')) return word;
  return unescaped(
    word.slice(1, word.length > 1 && word.endsWith('"') ? -1 : undefined),
  );
}

function unescaped(text: string): string {
  return text.replace(/\\([^])/g, "$1");
}
