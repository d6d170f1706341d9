import { type AddressError, type Mailbox, scanDomain, scanMailbox } from "../../mail/address.ts";

/** A reverse-path or forward-path (RFC 5321 4.1.1.2, 4.1.1.3). */
export type Path =
  /** `<>` */
  | { readonly kind: "null" }
  /** `<Postmaster>` without a domain (RFC 5321 4.5.1); `text` is as written. */
  | { readonly kind: "postmaster"; readonly text: string }
  | {
    readonly kind: "mailbox";
    readonly mailbox: Mailbox;
    /** Whether a source route stood before the mailbox; it is dropped (RFC 5321 appendix C). */
    readonly routed: boolean;
  };

/** A path found at the start of arguments; `end` is the offset after it. */
export type ScannedPath =
  | { readonly kind: "ok"; readonly path: Path; readonly end: number }
  | AddressError;

const POSTMASTER = "postmaster";

/**
 * Reads `FROM:<path>` or `TO:<path>`. Spaces before the path are in no grammar, but sent by many
 * clients; a mailbox without its brackets is sent by old devices, and read where `isLoose`.
 */
export function scanPath(
  text: string,
  keyword: "FROM" | "TO",
  { isLoose = false }: { isLoose?: boolean } = {},
): ScannedPath {
  const colon = keyword.length;
  if (text.slice(0, colon).toUpperCase() !== keyword || text[colon] !== ":") {
    return failure(0, `expected ${keyword}:`);
  }
  let at = colon + 1;
  while (text[at] === " ") at++;
  if (text[at] !== "<") return isLoose ? scanBare(text, at) : failure(at, "expected <");
  return scanBracketed(text, at + 1);
}

function scanBare(text: string, at: number): ScannedPath {
  const scanned = scanMailbox(text, at);
  if (scanned.kind === "error") return scanned;
  const { mailbox, end } = scanned;
  if (end < text.length && text[end] !== " ") return failure(end, "expected a space");
  return { kind: "ok", path: { kind: "mailbox", mailbox, routed: false }, end };
}

function scanBracketed(text: string, at: number): ScannedPath {
  if (text[at] === ">") return { kind: "ok", path: { kind: "null" }, end: at + 1 };
  const afterWord = at + POSTMASTER.length;
  if (text[afterWord] === ">" && text.slice(at, afterWord).toLowerCase() === POSTMASTER) {
    const path = { kind: "postmaster", text: text.slice(at, afterWord) } as const;
    return { kind: "ok", path, end: afterWord + 1 };
  }
  const routed = text[at] === "@";
  const mailboxAt = routed ? afterRoute(text, at) : at;
  if (typeof mailboxAt !== "number") return mailboxAt;
  const scanned = scanMailbox(text, mailboxAt);
  if (scanned.kind === "error") return scanned;
  if (text[scanned.end] !== ">") return failure(scanned.end, "expected >");
  const path = { kind: "mailbox", mailbox: scanned.mailbox, routed } as const;
  return { kind: "ok", path, end: scanned.end + 1 };
}

/** A-d-l = At-domain *( "," At-domain ), then a colon */
function afterRoute(text: string, at: number): number | AddressError {
  for (let next = at;;) {
    if (text[next] !== "@") return failure(next, "expected @ in source route");
    const domain = scanDomain(text, next + 1);
    if (domain.kind === "error") return domain;
    if (text[domain.end] === ":") return domain.end + 1;
    if (text[domain.end] !== ",") return failure(domain.end, "expected : after source route");
    next = domain.end + 1;
  }
}

function failure(at: number, reason: string): AddressError {
  return { kind: "error", at, reason };
}
