import type { KeyType } from "./key.ts";

/** A key as the DNS has it (RFC 6376 section 3.6.1). */
export interface KeyRecord {
  readonly type: KeyType;
  /** In base64; empty when the key was revoked. */
  readonly publicKey: string;
  /** Whether the domain only tries DKIM out. */
  readonly isTest: boolean;
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
const STRING_OCTETS = 255;

/** The record as a line of a zone file (RFC 1035 section 5). */
export function zoneLine(name: string, value: string): string {
  const strings = value.match(new RegExp(`.{1,${STRING_OCTETS}}`, "g")) ?? [];
  return `${name}. IN TXT ( ${strings.map((part) => `"${part}"`).join(" ")} )`;
}

/** Reads a TXT record; null when it is no key record. */
export function parseRecord(value: string): KeyRecord | null {
  const tags = new Map(
    value.split(";").map((tag) => {
      const at = tag.indexOf("=");
      return [tag.slice(0, at).trim(), tag.slice(at + 1).replace(/\s+/g, "")] as const;
    }),
  );
  if ((tags.get("v") ?? "DKIM1") !== "DKIM1") return null;
  const type = tags.get("k") ?? "rsa";
  const publicKey = tags.get("p");
  if (publicKey === undefined || (type !== "rsa" && type !== "ed25519")) return null;
  return { type, publicKey, isTest: tags.get("t")?.split(":").includes("y") ?? false };
}
