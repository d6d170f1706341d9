/** Sender Policy Framework (RFC 7208): may this address send mail of this domain? */
import { parseIp } from "../base/ip.ts";
import type { DnsResult, Resolver } from "../net/resolver.ts";
import { inNetworks } from "../policy/network.ts";
import { recordsOf, taggedRecords } from "./records.ts";
import { expandExplanation, expandName, type MacroFacts, needsClientName } from "./spf_macros.ts";
import {
  masked,
  parseSpfRecord,
  SPF_TAG,
  type SpfDirective,
  type SpfRecord,
} from "./spf_record.ts";

/** What SPF says of an address (RFC 7208 2.6). */
export type SpfResult =
  | "none"
  | "pass"
  | "fail"
  | "softfail"
  | "neutral"
  | "temperror"
  | "permerror";

/** A result, and what led to it. */
export interface SpfOutcome {
  readonly result: SpfResult;
  /** The mechanism that matched, or what is wrong, in a few words. */
  readonly reason: string;
  /** What the domain says to those whose mail fails; null for nothing. */
  readonly explanation: string | null;
}

/** Whose mail it is, and where it comes from. */
export interface SpfQuestion {
  readonly domain: string;
  /** The IP address of the client. */
  readonly address: string;
  readonly sender?: string;
  readonly helo?: string;
  /** The host that checks, for explanations. */
  readonly receiver?: string;
  readonly nowMs?: number;
}

/** What SPF asks the DNS. */
export type SpfResolver = Pick<Resolver, "txt" | "a" | "aaaa" | "mx" | "ptr">;

/** RFC 7208 4.6.4: terms that ask the DNS. */
const MAX_LOOKUPS = 10;
/** The same: terms whose names lead nowhere are there to have others asked in vain. */
const MAX_VOID_LOOKUPS = 2;
/** The same: exchangers of one `mx`, and names of the client. */
const MAX_NAMES = 10;

/** Evaluates SPF for mail of a domain (RFC 7208 section 4). Never throws for what the DNS says. */
export async function evaluateSpf(
  resolver: SpfResolver,
  question: SpfQuestion,
): Promise<SpfOutcome> {
  const evaluation = new Evaluation(resolver, question);
  try {
    return await evaluation.check(question.domain);
  } catch (error) {
    if (!(error instanceof SpfError)) throw error;
    return { result: error.result, reason: error.message, explanation: null };
  }
}

/** Ends an evaluation. */
class SpfError extends Error {
  override readonly name = "SpfError";
  readonly result: "temperror" | "permerror";

  constructor(result: "temperror" | "permerror", reason: string) {
    super(reason);
    this.result = result;
  }
}

class Evaluation {
  readonly #resolver: SpfResolver;
  readonly #facts: Omit<MacroFacts, "domain" | "clientName">;
  readonly #octets: Uint8Array;
  #names: Promise<readonly string[]> | null = null;
  #lookups = 0;
  #voidLookups = 0;

  constructor(
    resolver: SpfResolver,
    { domain, address, sender = "", helo = domain, receiver = "unknown", nowMs = 0 }: SpfQuestion,
  ) {
    this.#resolver = resolver;
    const at = sender.lastIndexOf("@");
    // RFC 7208 section 4.3: a sender without a local part is the postmaster.
    const mailbox = at > 0 ? sender : `postmaster@${at < 0 ? domain : sender.slice(at + 1)}`;
    this.#facts = { sender: mailbox, address, helo, receiver, nowMs };
    this.#octets = parseIp(address) ?? new Uint8Array();
  }

  /** What the record of a domain says; throws `SpfError` for its errors. */
  async check(domain: string): Promise<SpfOutcome> {
    if (!isDomain(domain)) return { ...NONE, reason: `${domain} is no domain` };
    const records = await taggedRecords(this.#resolver, { name: domain, tag: SPF_TAG });
    if (records === null) throw new SpfError("temperror", `no answer for ${domain}`);
    const [text, ...more] = records;
    if (text === undefined) return { ...NONE, reason: `${domain} has no record` };
    if (more.length > 0) throw new SpfError("permerror", `${domain} has several records`);
    const parsed = parseSpfRecord(text);
    if (parsed.kind === "error") throw new SpfError("permerror", `${domain}: ${parsed.reason}`);
    return await this.#decide(parsed.record, domain);
  }

  async #decide(record: SpfRecord, domain: string): Promise<SpfOutcome> {
    for (const directive of record.directives) {
      if (!await this.#matches(directive, domain)) continue;
      const { qualifier: result, text: reason } = directive;
      const isFail = result === "fail" && record.explanation !== null;
      const explanation = isFail ? await this.#explain(record.explanation, domain) : null;
      return { result, reason, explanation };
    }
    if (record.redirect === null) {
      return { result: "neutral", reason: "nothing matches", explanation: null };
    }
    this.#countLookup();
    const target = await this.#expand(record.redirect, domain);
    const outcome = await this.check(target);
    if (outcome.result !== "none") return outcome;
    throw new SpfError("permerror", `redirect: ${outcome.reason}`); // RFC 7208 6.1
  }

  async #matches(directive: SpfDirective, domain: string): Promise<boolean> {
    if (directive.kind === "all") return true;
    if (directive.kind === "ip") return inNetworks(this.#octets, [directive.network]);
    this.#countLookup();
    const name = directive.name === null ? domain : await this.#expand(directive.name, domain);
    switch (directive.kind) {
      case "include":
        return await this.#includes(name);
      case "exists": {
        const answer = await this.#resolver.a(name);
        this.#countVoid(answer);
        return known(answer, name).length > 0;
      }
      case "ptr": {
        const names = await this.#clientNames();
        return names.some((one) => isWithin(one, name.toLowerCase()));
      }
      case "a":
        return await this.#isAmong([name], { ...directive, countsVoid: true });
      case "mx": {
        const answer = await this.#resolver.mx(name);
        this.#countVoid(answer);
        const exchangers = known(answer, name).map(({ exchange }) => exchange);
        if (exchangers.length > MAX_NAMES) {
          throw new SpfError("permerror", `${name} has more than ${MAX_NAMES} exchangers`);
        }
        return await this.#isAmong(exchangers, { ...directive, countsVoid: false });
      }
    }
  }

  /** RFC 7208 5.2: only a pass of the other record matches. */
  async #includes(domain: string): Promise<boolean> {
    const { result, reason } = await this.check(domain);
    if (result === "none") throw new SpfError("permerror", `include: ${reason}`);
    return result === "pass";
  }

  /** Whether one of these hosts has the client's address. */
  async #isAmong(
    hosts: readonly string[],
    { ipv4Bits, ipv6Bits, countsVoid }: {
      ipv4Bits: number;
      ipv6Bits: number;
      countsVoid: boolean;
    },
  ): Promise<boolean> {
    const prefixBits = this.#octets.length === 4 ? ipv4Bits : ipv6Bits;
    for (const host of hosts) {
      const answer = await this.#addresses(host);
      if (countsVoid) this.#countVoid(answer);
      const networks = known(answer, host).flatMap((address) => {
        const octets = parseIp(address);
        return octets === null ? [] : [{ octets: masked(octets, prefixBits), prefixBits }];
      });
      if (inNetworks(this.#octets, networks)) return true;
    }
    return false;
  }

  /** Addresses of the client's family (RFC 7208 section 5). */
  #addresses(host: string): Promise<DnsResult<string>> {
    return this.#octets.length === 4 ? this.#resolver.a(host) : this.#resolver.aaaa(host);
  }

  /** Names of the client that lead back to its address, in lower case (RFC 7208 section 5.5). */
  async #clientNames(): Promise<readonly string[]> {
    return await (this.#names ??= this.#findClientNames());
  }

  async #findClientNames(): Promise<readonly string[]> {
    const answer = await this.#resolver.ptr(this.#facts.address);
    this.#countVoid(answer);
    const names: string[] = [];
    for (const name of recordsOf(answer).slice(0, MAX_NAMES)) {
      const addresses = recordsOf(await this.#addresses(name));
      const leadsBack = addresses.some((address) => {
        const octets = parseIp(address);
        return octets !== null &&
          inNetworks(this.#octets, [{ octets, prefixBits: octets.length * 8 }]);
      });
      if (leadsBack) names.push(name.toLowerCase().replace(/\.$/, ""));
    }
    return names;
  }

  /** The best name for `%{p}`: the domain itself, one below it, any (RFC 7208 section 7.3). */
  async #clientName(domain: string): Promise<string> {
    const names = await this.#clientNames();
    const own = domain.toLowerCase();
    return names.find((name) => name === own) ?? names.find((name) => isWithin(name, own)) ??
      names[0] ?? "unknown";
  }

  async #expand(text: string, domain: string): Promise<string> {
    if (!text.includes("%")) return text;
    const name = expandName(text, await this.#factsFor(text, domain));
    if (name === null) throw new SpfError("permerror", `${text} is malformed`);
    return name;
  }

  async #factsFor(text: string, domain: string): Promise<MacroFacts> {
    const clientName = needsClientName(text) ? await this.#clientName(domain) : "unknown";
    return { ...this.#facts, domain, clientName };
  }

  /** RFC 7208 section 6.2: what cannot be had is as if it were not there. */
  async #explain(text: string | null, domain: string): Promise<string | null> {
    if (text === null) return null;
    const name = await this.#expand(text, domain);
    const [explanation, ...more] = recordsOf(await this.#resolver.txt(name));
    if (explanation === undefined || more.length > 0) return null;
    return expandExplanation(explanation, await this.#factsFor(explanation, domain));
  }

  #countVoid({ kind }: { readonly kind: string }): void {
    if (kind === "found" || kind === "temporary") return;
    if (++this.#voidLookups > MAX_VOID_LOOKUPS) {
      throw new SpfError("permerror", `more than ${MAX_VOID_LOOKUPS} names lead nowhere`);
    }
  }

  #countLookup(): void {
    if (++this.#lookups > MAX_LOOKUPS) {
      throw new SpfError("permerror", `more than ${MAX_LOOKUPS} terms ask the DNS`);
    }
  }
}

const NONE: SpfOutcome = { result: "none", reason: "", explanation: null };

/** What was found; nothing where there is nothing. */
function known<Data>(answer: DnsResult<Data>, name: string): readonly Data[] {
  if (answer.kind === "temporary") throw new SpfError("temperror", `no answer for ${name}`);
  return recordsOf(answer);
}

/** RFC 7208 section 4.3: of several labels, none empty or too long. */
function isDomain(domain: string): boolean {
  const name = domain.endsWith(".") ? domain.slice(0, -1) : domain;
  const labels = name.split(".");
  return labels.length > 1 && name.length <= 253 && !name.startsWith("[") &&
    labels.every(({ length }) => length > 0 && length <= 63);
}

function isWithin(name: string, domain: string): boolean {
  const parent = domain.endsWith(".") ? domain.slice(0, -1) : domain;
  return name === parent || name.endsWith(`.${parent}`);
}
