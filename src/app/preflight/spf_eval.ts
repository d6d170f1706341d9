import { parseIp } from "../../base/ip.ts";
import { isInNetworks, parseNetwork } from "../../policy/network.ts";
import type { Resolver } from "../../net/resolver.ts";
import { recordsOf, taggedRecords } from "./check.ts";
import { expandMacros, type MacroFacts } from "./spf_macros.ts";

/** What SPF says of an address (RFC 7208 2.6). */
export type SpfResult =
  | "none"
  | "pass"
  | "fail"
  | "softfail"
  | "neutral"
  | "temperror"
  | "permerror";

export const SPF_TAG = /^v=spf1(?:$| )/i;

/** RFC 7208 4.6.4. */
const MAX_LOOKUPS = 10;
/** The same: names that lead nowhere are there to have others asked in vain. */
const MAX_VOID_LOOKUPS = 2;
const QUALIFIERS: Readonly<Record<string, SpfResult>> = {
  "+": "pass",
  "-": "fail",
  "~": "softfail",
  "?": "neutral",
};
const TERM = /^([+?~-])?([a-z0-9]+)(?::((?:[^/{]|\{[^}]*\})+))?(\/\S*)?$/i;

type SpfResolver = Pick<Resolver, "txt" | "addresses" | "mx">;

/** Evaluates SPF for mail from a domain (RFC 7208 4); `ptr` never matches. */
export function evaluateSpf(
  resolver: SpfResolver,
  { domain, address, sender = `postmaster@${domain}`, helo = domain }: {
    domain: string;
    address: string;
    sender?: string;
    helo?: string;
  },
): Promise<SpfResult> {
  return new Evaluation(resolver, { address, sender, helo }).check(domain);
}

class Evaluation {
  readonly #resolver: SpfResolver;
  readonly #client: Omit<MacroFacts, "domain">;
  #lookups = 0;
  #voidLookups = 0;

  constructor(resolver: SpfResolver, client: Omit<MacroFacts, "domain">) {
    this.#resolver = resolver;
    this.#client = client;
  }

  async check(domain: string): Promise<SpfResult> {
    const records = await taggedRecords(this.#resolver, { name: domain, tag: SPF_TAG });
    if (records === null) return "temperror";
    const [record, ...more] = records;
    if (record === undefined) return "none";
    if (more.length > 0) return "permerror"; // RFC 7208 4.5
    let redirect: string | null = null;
    for (const term of record.split(/ +/).slice(1)) {
      if (term === "") continue;
      const modifier = /^([a-z][\w.-]*)=(.*)$/i.exec(term);
      if (modifier !== null) {
        if (modifier[1]?.toLowerCase() === "redirect") redirect = modifier[2] ?? "";
        continue;
      }
      const result = await this.#mechanism(term, domain);
      if (result !== null) return result;
    }
    if (redirect === null) return "neutral";
    if (!this.#countLookup()) return "permerror";
    const target = this.#expand(redirect, domain);
    const result = target === null ? "permerror" : await this.check(target);
    return result === "none" ? "permerror" : result; // RFC 7208 6.1
  }

  /** What a mechanism decides; null when it does not match. */
  async #mechanism(term: string, domain: string): Promise<SpfResult | null> {
    const [, sign = "+", name = "", text, prefix = ""] = TERM.exec(term) ?? [];
    const argument = text === undefined ? domain : this.#expand(text, domain);
    if (argument === null) return "permerror";
    const isMatch = await this.#matches(name.toLowerCase(), { argument, prefix, term });
    if (typeof isMatch === "string") return isMatch;
    return isMatch ? QUALIFIERS[sign] ?? "neutral" : null;
  }

  async #matches(
    name: string,
    { argument, prefix, term }: { argument: string; prefix: string; term: string },
  ): Promise<boolean | "temperror" | "permerror"> {
    if (name === "all") return true;
    if (name === "ip4" || name === "ip6") return this.#isIn(term.slice(term.indexOf(":") + 1));
    if (!["a", "mx", "include", "exists", "ptr"].includes(name)) return "permerror";
    if (!this.#countLookup()) return "permerror";
    switch (name) {
      case "include":
        return await this.#includes(argument);
      case "a":
        return await this.#hasAddress([argument], prefix);
      case "mx": {
        const result = await this.#resolver.mx(argument);
        if (result.kind === "temporary") return "temperror";
        if (!this.#countVoid(result)) return "permerror";
        return await this.#hasAddress(recordsOf(result).map(({ exchange }) => exchange), prefix);
      }
      case "exists": {
        const result = await this.#resolver.addresses(argument);
        return this.#countVoid(result) ? recordsOf(result).length > 0 : "permerror";
      }
      default:
        return false; // `ptr` is not to be used any more (RFC 7208 5.5)
    }
  }

  /** RFC 7208 5.2: only a pass of the other record matches. */
  async #includes(domain: string): Promise<boolean | "temperror" | "permerror"> {
    const result = await this.check(domain);
    if (result === "temperror" || result === "permerror") return result;
    return result === "none" ? "permerror" : result === "pass";
  }

  async #hasAddress(hosts: readonly string[], prefix: string): Promise<boolean | "permerror"> {
    const [ipv4 = "", ipv6 = ""] = prefix.slice(1).split("//");
    for (const host of hosts.slice(0, MAX_LOOKUPS)) {
      const result = await this.#resolver.addresses(host);
      if (!this.#countVoid(result)) return "permerror";
      const isMatch = recordsOf(result).some(({ address, family }) => {
        const bits = family === 4 ? ipv4 : ipv6;
        return this.#isIn(bits === "" ? address : `${address}/${bits}`);
      });
      if (isMatch) return true;
    }
    return false;
  }

  #isIn(block: string): boolean {
    const parsed = parseNetwork(masked(block));
    return parsed.kind === "ok" && isInNetworks(this.#client.address, [parsed.network]);
  }

  #expand(text: string, domain: string): string | null {
    return text.includes("%") ? expandMacros(text, { ...this.#client, domain }) : text;
  }

  /** False when too many names led nowhere. */
  #countVoid({ kind }: { readonly kind: string }): boolean {
    if (kind === "none" || kind === "nonexistent") this.#voidLookups++;
    return this.#voidLookups <= MAX_VOID_LOOKUPS;
  }

  #countLookup(): boolean {
    return ++this.#lookups <= MAX_LOOKUPS;
  }
}

/** A block with the bits after its prefix cleared, which SPF does not ask of its writers. */
function masked(block: string): string {
  const [address = "", bits] = block.split("/");
  const octets = parseIp(address);
  if (octets === null || bits === undefined || !/^\d{1,3}$/.test(bits)) return block;
  const kept = octets.map((octet, index) => {
    const free = Math.min(8, Math.max(0, (index + 1) * 8 - Number(bits)));
    return octet & (0xff << free);
  });
  return `${formatOctets(kept)}/${bits}`;
}

function formatOctets(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  const groups: string[] = [];
  for (let at = 0; at < octets.length; at += 2) {
    groups.push((((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0)).toString(16));
  }
  return groups.join(":");
}
