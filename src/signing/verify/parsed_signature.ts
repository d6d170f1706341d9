import { Buffer } from "node:buffer";
import type { HeaderField } from "../../mail/headers.ts";
import type { CanonForm } from "../body_hash.ts";
import { fieldValue, type MessageHeader } from "../header_canon.ts";
import type { KeyType } from "../key.ts";
import { parseTags, withoutSpace } from "../tags.ts";

/** What any signature of a message says of itself: DKIM, or either one of an ARC set. */
export interface ParsedSeal {
  readonly field: HeaderField;
  readonly tags: ReadonlyMap<string, string>;
  readonly keyType: KeyType;
  readonly domain: string;
  readonly selector: string;
  readonly signature: Uint8Array;
}

/** A signature over fields and the body (RFC 6376 section 3.5). */
export interface ParsedSignature extends ParsedSeal {
  readonly headerForm: CanonForm;
  readonly bodyForm: CanonForm;
  /** In lower case, in the order of `h=`. */
  readonly signedNames: readonly string[];
  /** In base64. */
  readonly bodyHash: string;
  /** `l=`; null for all. */
  readonly limitBytes: number | null;
}

/** What is wrong with a signature field itself, in a few words. */
export interface Malformed {
  readonly kind: "malformed";
  readonly reason: string;
}

const KEY_TYPES: ReadonlyMap<string, KeyType> = new Map([
  ["rsa-sha256", "rsa"],
  ["ed25519-sha256", "ed25519"],
]);
const DOMAIN = /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/;
const LONGEST_NAME = 253;
const FORMS: readonly string[] = ["simple", "relaxed"];

/** Reads what all signatures have in common. */
export function parseSeal(header: MessageHeader, field: HeaderField): ParsedSeal | Malformed {
  const tags = parseTags(fieldValue(header.bytes, field));
  if (tags === null) return malformed("not a list of tags");
  const algorithm = (tags.get("a") ?? "").toLowerCase();
  const keyType = KEY_TYPES.get(algorithm);
  // RFC 8301 section 3.1: rsa-sha1 counts for nothing.
  if (keyType === undefined) return malformed(`algorithm ${printable(algorithm)}`);
  const domain = (tags.get("d") ?? "").toLowerCase();
  const selector = (tags.get("s") ?? "").toLowerCase();
  if (!isName(domain)) return malformed("no domain");
  if (!isName(selector)) return malformed("no selector");
  const signature = octetsOf(tags.get("b"));
  if (signature === null) return malformed("no signature");
  return { field, tags, keyType, domain, selector, signature };
}

/**
 * Reads a DKIM-Signature or an ARC-Message-Signature.
 *
 * @param defaultForms what stands for `c=` where it is missing.
 */
export function parseSignature(
  header: MessageHeader,
  { field, defaultForms }: { field: HeaderField; defaultForms: string },
): ParsedSignature | Malformed {
  const seal = parseSeal(header, field);
  if ("kind" in seal) return seal;
  const { tags } = seal;
  const [headerForm, bodyForm = "simple", ...rest] = (tags.get("c") ?? defaultForms).split("/");
  if (!isForm(headerForm) || !isForm(bodyForm) || rest.length > 0) {
    return malformed("unknown canonicalization");
  }
  const signedNames = (tags.get("h") ?? "").toLowerCase().split(":").map((name) => name.trim());
  if (!signedNames.includes("from")) return malformed("From is not signed"); // RFC 6376 6.1.1
  const bodyHash = withoutSpace(tags.get("bh") ?? "");
  if (bodyHash === "") return malformed("no body hash");
  const limit = tags.get("l");
  if (limit !== undefined && !/^\d{1,15}$/.test(limit)) return malformed("bad l=");
  return {
    ...{ ...seal, headerForm, bodyForm, signedNames, bodyHash },
    limitBytes: limit === undefined ? null : Number(limit),
  };
}

/** A field with the signature cut out of it, as it was signed (RFC 6376 section 3.7). */
export function withoutSignature(raw: string): string {
  return raw.replace(/([:;][ \t\r\n]*b[ \t\r\n]*=)[^;]*/, "$1");
}

/** RFC 1035 section 2.3.4: of no longer one there is a key, and results name it in one line. */
function isName(text: string): boolean {
  return text.length <= LONGEST_NAME && DOMAIN.test(text);
}

function malformed(reason: string): Malformed {
  return { kind: "malformed", reason };
}

function isForm(word: string | undefined): word is CanonForm {
  return word !== undefined && FORMS.includes(word);
}

function octetsOf(base64: string | undefined): Uint8Array | null {
  const text = withoutSpace(base64 ?? "");
  if (text === "" || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  return Buffer.from(text, "base64");
}

function printable(word: string): string {
  return word.replace(/[^a-z0-9-]/g, "?").slice(0, 20);
}
