import { type Reply, reply } from "../../mail/reply.ts";
import type { DnsTrouble, Resolver, TlsaRecord } from "../../net/resolver.ts";
import { isUsable } from "./dane.ts";
import type { TlsTarget } from "./rules.ts";

/** What the DNS says of a host's certificates. */
export type TlsaFinding =
  | {
    readonly kind: "records";
    /** As they are published. */
    readonly all: readonly TlsaRecord[];
    /** Those that SMTP knows what to do with. */
    readonly usable: readonly TlsaRecord[];
    /** Names that a certificate below a trust anchor may be for (RFC 7672 section 3.2.3). */
    readonly names: readonly string[];
  }
  /** Nothing that DNSSEC vouches for. */
  | { readonly kind: "none" }
  /** The DNS could not tell; a 4xx reply says why. */
  | { readonly kind: "temporary"; readonly reply: Reply };

const NONE: TlsaFinding = { kind: "none" };

type TlsaResolver = Pick<Resolver, "addresses" | "tlsa" | "cname">;

/**
 * RFC 7672 section 2.2: the records at the end of the host's aliases, else at its own name; at its
 * own name alone where the alias itself is secure and what it leads to is not (section 2.2.2).
 */
export async function findTlsa(
  { host, port, domain }: TlsTarget,
  resolver: TlsaResolver,
): Promise<TlsaFinding> {
  const addresses = await resolver.addresses(host);
  if (addresses.kind !== "found") return NONE;
  const { canonicalName, authentic } = addresses;
  const bases = canonicalName === host ? [host] : authentic ? [canonicalName, host] : [host];
  if (!authentic) {
    if (canonicalName === host) return NONE;
    const alias = await resolver.cname(host);
    if (alias.kind === "temporary") return noAnswer(host, alias.reason);
    if (alias.kind !== "found" || !alias.authentic) return NONE;
  }
  for (const base of bases) {
    const names = new Set([base, host, ...domain === null ? [] : [domain]]);
    const found = await tlsaOf(base, { port, names: [...names], resolver });
    if (found.kind !== "none") return found;
  }
  return NONE;
}

async function tlsaOf(
  base: string,
  { port, names, resolver }: { port: number; names: readonly string[]; resolver: TlsaResolver },
): Promise<TlsaFinding> {
  const answer = await resolver.tlsa(`_${port}._tcp.${base}`);
  if (answer.kind === "temporary") return noAnswer(base, answer.reason);
  if (answer.kind !== "found" || !answer.authentic) return NONE;
  const { records } = answer;
  return { kind: "records", all: records, usable: records.filter(isUsable), names };
}

function noAnswer(base: string, trouble: DnsTrouble): TlsaFinding {
  const text = `Cannot look up the TLSA records of ${base}: ${trouble.replace("_", " ")}`;
  return { kind: "temporary", reply: reply(451, "4.7.5", text) };
}
