import type { MxRecord } from "../../net/resolver.ts";
import { reply } from "../../mail/reply.ts";
import type { Outcome } from "../transport.ts";

/** What choosing among mail exchangers depends on, apart from them. */
export interface MxRules {
  /** Names of this relay in lower case; mail must not loop back to it. */
  readonly ownNames: ReadonlySet<string>;
  /** The most exchangers considered. */
  readonly maxHosts: number;
}

/** A mail exchanger of a domain. */
export interface Exchanger {
  readonly host: string;
  /** Its preference; lower is better. */
  readonly rank: number;
  /** Its IP addresses where they are known. */
  readonly addresses: readonly string[] | null;
}

/** The exchangers of a domain. */
export type ExchangerPlan =
  /** Ordered by rank; at least one. */
  | {
    readonly kind: "exchangers";
    readonly exchangers: readonly Exchanger[];
    /** Whether DNSSEC vouches for it that these are the exchangers. */
    readonly authentic: boolean;
  }
  /** There is none to try; the same outcome for all recipients. */
  | { readonly kind: "none"; readonly outcome: Outcome };

/** The exchangers to try for a domain with `records`, ordered by preference alone. */
export function exchangersOf(
  { records, authentic }: { records: readonly MxRecord[]; authentic: boolean },
  rules: MxRules,
): ExchangerPlan {
  const exchangers = records.map(({ preference, exchange }) => ({
    preference,
    host: exchange.replace(/\.$/, "").toLowerCase(),
  }));
  if (exchangers.every(({ host }) => host === "")) return { kind: "none", outcome: NULL_MX };
  const own = exchangers.filter(({ host }) => rules.ownNames.has(host));
  // RFC 5321 5.1: this relay's own preference and all that are no better are left out.
  const limit = Math.min(...own.map(({ preference }) => preference));
  const usable = exchangers
    .filter(({ host, preference }) => host !== "" && preference < limit)
    .sort((a, b) => a.preference - b.preference)
    .slice(0, rules.maxHosts)
    .map(({ host, preference }): Exchanger => ({ host, rank: preference, addresses: null }));
  if (usable.length === 0) return { kind: "none", outcome: LOOPS_BACK };
  return { kind: "exchangers", exchangers: usable, authentic };
}

/** RFC 7505 section 4.1. */
const NULL_MX: Outcome = {
  kind: "permanent",
  reply: reply(556, "5.1.10", "Recipient domain does not accept mail (null MX)"),
};

/** RFC 5321 5.1: no exchanger is better than this relay, which is no destination either. */
export const LOOPS_BACK: Outcome = {
  kind: "permanent",
  reply: reply(550, "5.4.6", "Mail for the recipient domain loops back to this relay"),
};
