import { parseIp } from "../base/ip.ts";

/** What macros of an SPF record stand for (RFC 7208 section 7.2). */
export interface MacroFacts {
  /** The mailbox of the sender; `postmaster@` and the greeting where the reverse-path is null. */
  readonly sender: string;
  /** The domain whose record it is. */
  readonly domain: string;
  /** The IP address of the client. */
  readonly address: string;
  /** The domain of the greeting. */
  readonly helo: string;
  /** The name of the client that leads back to its address; `unknown` for none. */
  readonly clientName: string;
  /** The host that checks. */
  readonly receiver: string;
  readonly nowMs: number;
}

/** Longer names lose labels on the left (RFC 7208 section 7.3). */
const NAME_LIMIT_CHARS = 253;

/** Letters of macros in names, and those that an explanation may have besides. */
const LETTERS = "slodiphv";
const EXPLANATION_LETTERS = `${LETTERS}crt`;

const [NAME_SYNTAX, EXPLANATION_SYNTAX] = [LETTERS, ` ${EXPLANATION_LETTERS}`].map((letters) => {
  const macro = `%\\{[${letters.trim()}](?:0*[1-9]\\d*)?r?[.+,/_=-]*\\}`;
  const literal = letters.startsWith(" ") ? "[ -$&-~]" : "[!-$&-~]";
  return new RegExp(`^(?:${macro}|%[%_-]|${literal})*$`, "i");
}) as [RegExp, RegExp];

/** Whether a text is a macro string (RFC 7208 section 7.1). */
export function isMacroString(text: string): boolean {
  return NAME_SYNTAX.test(text);
}

/** Whether macros need the client's name, which takes questions to the DNS. */
export function needsClientName(text: string): boolean {
  return /%\{p/i.test(text);
}

/** Expands the macros of a name; null where it is no macro string. */
export function expandName(text: string, facts: MacroFacts): string | null {
  return isMacroString(text) ? shortened(expanded(text, facts)) : null;
}

/** Expands an explanation (RFC 7208 section 6.2); null where its syntax is wrong. */
export function expandExplanation(text: string, facts: MacroFacts): string | null {
  return EXPLANATION_SYNTAX.test(text) ? expanded(text, facts) : null;
}

const LITERALS: Readonly<Record<string, string>> = { "%%": "%", "%_": " ", "%-": "%20" };
const MACRO = /%\{(.)(\d*)(r?)([^}]*)\}|%./gi;

function expanded(text: string, facts: MacroFacts): string {
  return text.replace(
    MACRO,
    (whole, letter?: string, digits = "", reversed = "", delimiters = "") => {
      if (letter === undefined) return LITERALS[whole] ?? "";
      const value = valueOf(letter.toLowerCase(), facts);
      const split = delimiters === "" ? ["."] : [...delimiters];
      const labels = split.reduce(
        (words: string[], mark) => words.flatMap((word) => word.split(mark)),
        [
          value,
        ],
      );
      if (reversed !== "") labels.reverse();
      const joined = (digits === "" ? labels : labels.slice(-Number(digits))).join(".");
      return letter === letter.toUpperCase() ? escaped(joined) : joined;
    },
  );
}

function valueOf(letter: string, facts: MacroFacts): string {
  const { sender, domain, address, helo, clientName, receiver, nowMs } = facts;
  const at = sender.lastIndexOf("@");
  switch (letter) {
    case "s":
      return sender;
    case "l":
      return sender.slice(0, at);
    case "o":
      return sender.slice(at + 1);
    case "d":
      return domain;
    case "i":
      return dotted(address);
    case "p":
      return clientName;
    case "v":
      return address.includes(":") ? "ip6" : "in-addr";
    case "h":
      return helo;
    case "c":
      return address.toLowerCase();
    case "r":
      return receiver;
    default:
      return String(Math.floor(nowMs / 1000));
  }
}

/** An IPv4 address as it is, an IPv6 address as its nibbles (RFC 7208 section 7.3). */
function dotted(address: string): string {
  const octets = parseIp(address);
  if (octets === null || octets.length === 4) return address;
  return [...octets.toHex().toUpperCase()].join(".");
}

/** All but the unreserved characters of RFC 3986 section 2.3 as `%XX`. */
function escaped(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function shortened(name: string): string {
  let rest = name;
  while (rest.length > NAME_LIMIT_CHARS && rest.includes(".")) {
    rest = rest.slice(rest.indexOf(".") + 1);
  }
  return rest;
}
