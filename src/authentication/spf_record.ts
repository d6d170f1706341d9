/** The syntax of an SPF record (RFC 7208 section 12). */
import { parseIpv4, parseIpv6 } from "../base/ip.ts";
import type { Network } from "../policy/network.ts";
import { isMacroString } from "./spf_macros.ts";

/** What a mechanism that matches decides (RFC 7208 section 4.6.2). */
export type SpfQualifier = "pass" | "fail" | "softfail" | "neutral";

/** One directive of a record; a name is null for the domain whose record it is. */
export type SpfDirective =
  & { readonly qualifier: SpfQualifier; /** As written. */ readonly text: string }
  & (
    | { readonly kind: "all" }
    | { readonly kind: "ip"; readonly network: Network }
    | {
      readonly kind: "a" | "mx";
      readonly name: string | null;
      readonly ipv4Bits: number;
      readonly ipv6Bits: number;
    }
    | { readonly kind: "ptr"; readonly name: string | null }
    | { readonly kind: "include" | "exists"; readonly name: string }
  );

/** A record whose syntax is right. Names still have their macros. */
export interface SpfRecord {
  readonly directives: readonly SpfDirective[];
  readonly redirect: string | null;
  /** The name of the record that explains a fail. */
  readonly explanation: string | null;
}

export type SpfParseResult =
  | { readonly kind: "ok"; readonly record: SpfRecord }
  | { readonly kind: "error"; readonly reason: string };

/** What an SPF record begins with (RFC 7208 section 4.5). */
export const SPF_TAG = /^v=spf1(?:$| )/i;

const QUALIFIERS: Readonly<Record<string, SpfQualifier>> = {
  "+": "pass",
  "-": "fail",
  "~": "softfail",
  "?": "neutral",
};
const MODIFIER = /^([a-z][\w.-]*)=(.*)$/i;
/** Qualifier, name, what stands behind the colon, and how many bits of an address count. */
const DIRECTIVE = /^([+?~-]?)([a-z][a-z0-9]*)(?::(.*?))?((?:\/\d+)?(?:\/\/\d+)?)$/i;
const IP_DIRECTIVE = /^([+?~-]?)ip([46]):([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/i;
const DUAL_CIDR = /^(?:\/(0|[1-9]\d?))?(?:\/\/(0|[1-9]\d{0,2}))?$/;

/** Reads a record. An error anywhere makes all of it one (RFC 7208 section 4.6). */
export function parseSpfRecord(text: string): SpfParseResult {
  if (!/^[ -~]*$/.test(text)) return failure("the record has characters that are not ASCII");
  const directives: SpfDirective[] = [];
  const modifiers = new Map<string, string>();
  for (const term of text.split(" ").slice(1)) {
    if (term === "") continue;
    const [, name, value = ""] = MODIFIER.exec(term) ?? [];
    if (name === undefined) {
      const directive = parseDirective(term);
      if (directive === null) return failure(`${term} is no mechanism`);
      directives.push(directive);
      continue;
    }
    const known = name.toLowerCase();
    const isKnown = known === "redirect" || known === "exp";
    if (isKnown ? !isDomainSpec(value) : !isMacroString(value)) {
      return failure(`${term} is malformed`);
    }
    if (!isKnown) continue;
    if (modifiers.has(known)) return failure(`${known}= stands twice`); // RFC 7208 section 6
    modifiers.set(known, value);
  }
  const redirect = modifiers.get("redirect") ?? null;
  const explanation = modifiers.get("exp") ?? null;
  return { kind: "ok", record: { directives, redirect, explanation } };
}

function failure(reason: string): SpfParseResult {
  return { kind: "error", reason };
}

function parseDirective(text: string): SpfDirective | null {
  const ip = IP_DIRECTIVE.exec(text);
  if (ip !== null) return ipDirective(ip);
  const [, sign = "", name = "", argument, suffix = ""] = DIRECTIVE.exec(text) ?? [];
  const common = { qualifier: qualifierOf(sign), text };
  if (argument !== undefined && !isDomainSpec(argument)) return null;
  const kind = name.toLowerCase();
  if (kind === "a" || kind === "mx") {
    const bits = DUAL_CIDR.exec(suffix);
    const [ipv4Bits, ipv6Bits] = [Number(bits?.[1] ?? 32), Number(bits?.[2] ?? 128)];
    if (bits === null || ipv4Bits > 32 || ipv6Bits > 128) return null;
    return { ...common, kind, name: argument ?? null, ipv4Bits, ipv6Bits };
  }
  if (suffix !== "") return null;
  if (kind === "all") return argument === undefined ? { ...common, kind } : null;
  if (kind === "ptr") return { ...common, kind, name: argument ?? null };
  if (kind !== "include" && kind !== "exists") return null;
  return argument === undefined ? null : { ...common, kind, name: argument };
}

function ipDirective([text, sign = "", version, address = "", bits]: RegExpExecArray) {
  const octets = version === "4" ? parseIpv4(address) : parseIpv6(address);
  if (octets === null) return null;
  const prefixBits = bits === undefined ? octets.length * 8 : Number(bits);
  if (prefixBits > octets.length * 8) return null;
  const network = { octets: masked(octets, prefixBits), prefixBits };
  return { qualifier: qualifierOf(sign), text, kind: "ip", network } as const;
}

function qualifierOf(sign: string): SpfQualifier {
  return QUALIFIERS[sign] ?? "pass";
}

/** The octets with the bits after a prefix cleared, which SPF does not ask of writers. */
export function masked(octets: Uint8Array, prefixBits: number): Uint8Array {
  return octets.map((octet, index) => {
    const free = Math.min(8, Math.max(0, (index + 1) * 8 - prefixBits));
    return octet & (0xff << free);
  });
}

/** RFC 7208 section 7.1: a macro string that ends in a macro, or in a label that is no number. */
function isDomainSpec(text: string): boolean {
  if (!isMacroString(text)) return false;
  if (/%(?:\{[^}]*\}|[%_-])$/.test(text)) return true;
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const dot = name.lastIndexOf(".");
  const label = name.slice(dot + 1);
  return dot >= 0 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(label) && !/^\d+$/.test(label);
}
