import type { KeyType } from "./key.ts";
import { parseTags, withoutSpace } from "./tags.ts";

/** A key as the DNS has it (RFC 6376 section 3.6.1). */
export interface KeyRecord {
  readonly type: KeyType;
  /** In base64; empty when the key was revoked. */
  readonly publicKey: string;
  /** Whether the domain only tries DKIM out. */
  readonly isTest: boolean;
  /** Whether it signs for its own domain alone, and none below it. */
  readonly isStrict: boolean;
  /** Whether it may be used with SHA-256. */
  readonly takesSha256: boolean;
  /** Whether it is for mail. */
  readonly isForMail: boolean;
}

/** The name of a key's TXT record. */
export function recordName({ selector, domain }: { selector: string; domain: string }): string {
  return `${selector}._domainkey.${domain}`;
}

/** The value of a key's TXT record. */
export function recordValue({ type, publicKey }: { type: KeyType; publicKey: string }): string {
  return `v=DKIM1; k=${type}; p=${publicKey}`;
}

/** A string of a TXT record holds 255 octets (RFC 1035 section 3.3); longer values are several. */
export const STRING_OCTETS = 255;

/** The record as a line of a zone file (RFC 1035 section 5). */
export function zoneLine(name: string, value: string): string {
  const strings = value.match(new RegExp(`.{1,${STRING_OCTETS}}`, "g")) ?? [];
  return `${name}. IN TXT ( ${strings.map((part) => `"${part}"`).join(" ")} )`;
}

/** Reads a TXT record; null when it is no key record. */
export function parseRecord(value: string): KeyRecord | null {
  const tags = parseTags(value);
  const publicKey = tags?.get("p");
  if (tags === null || publicKey === undefined) return null;
  if ((tags.get("v") ?? "DKIM1") !== "DKIM1") return null;
  const type = tags.get("k") ?? "rsa";
  if (type !== "rsa" && type !== "ed25519") return null;
  const listOf = (name: string): readonly string[] =>
    tags.get(name)?.split(":").map((word) => word.trim().toLowerCase()) ?? [];
  const flags = listOf("t");
  const services = listOf("s");
  return {
    type,
    publicKey: withoutSpace(publicKey),
    isTest: flags.includes("y"),
    isStrict: flags.includes("s"),
    takesSha256: !tags.has("h") || listOf("h").includes("sha256"),
    isForMail: services.length === 0 || services.includes("*") || services.includes("email"),
  };
}
