import { parseIp } from "../../base/ip.ts";

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
}

/** Longer names lose labels on the left (RFC 7208 section 7.3). */
const NAME_LIMIT_CHARS = 253;

/** Expands the macros of a name; null when it has one that there is not. */
export function expandMacros(text: string, facts: MacroFacts): string | null {
  let isBad = false;
  const name = text.replace(/%(?:\{([^}]*)\}|(.?))/g, (_, macro?: string, sign?: string) => {
    const value = macro === undefined ? LITERALS.get(sign ?? "") : expandMacro(macro, facts);
    isBad ||= value === undefined || value === null;
    return value ?? "";
  });
  return isBad ? null : shortened(name);
}

const LITERALS: ReadonlyMap<string, string> = new Map([["%", "%"], ["_", " "], ["-", "%20"]]);

function expandMacro(macro: string, facts: MacroFacts): string | null {
  const parts = /^([slodiphv])(\d*)(r?)([.+,\/_=-]*)$/i.exec(macro);
  if (parts === null) return null;
  const [, letter = "", digits = "", reversed = "", delimiters = ""] = parts;
  const value = valueOf(letter.toLowerCase(), facts);
  const split = delimiters === "" ? ["."] : [...delimiters];
  const labels = split.reduce((words, mark) => words.flatMap((word) => word.split(mark)), [value]);
  if (reversed !== "") labels.reverse();
  const kept = digits === "" ? labels : labels.slice(-Number(digits));
  if (digits !== "" && Number(digits) === 0) return null;
  const joined = kept.join(".");
  return letter === letter.toUpperCase() ? encodeURIComponent(joined) : joined;
}

function valueOf(letter: string, { sender, domain, address, helo }: MacroFacts): string {
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
    case "h":
      return helo;
    case "v":
      return address.includes(":") ? "ip6" : "in-addr";
    default:
      return "unknown"; // `p`, which is not to be used any more (RFC 7208 section 7.2)
  }
}

/** An IPv4 address as it is, an IPv6 address as its nibbles (RFC 7208 section 7.3). */
function dotted(address: string): string {
  const octets = parseIp(address);
  if (octets === null || octets.length === 4) return address;
  return [...octets.toHex()].join(".");
}

function shortened(name: string): string {
  let rest = name;
  while (rest.length > NAME_LIMIT_CHARS && rest.includes(".")) {
    rest = rest.slice(rest.indexOf(".") + 1);
  }
  return rest;
}
