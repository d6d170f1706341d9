import type { MxRecord } from "../../net/resolver.ts";
import { reply } from "../../mail/reply.ts";
import type { Outcome } from "../transport.ts";
import type { HostPlan, HostTarget } from "./hosts.ts";

const SMTP_PORT = 25;

/** What choosing among mail exchangers depends on, apart from them. */
export interface MxRules {
  /** Names of this relay in lower case; mail must not loop back to it. */
  readonly ownNames: ReadonlySet<string>;
  /** Default 25. */
  readonly port?: number;
  /** The most exchangers considered. */
  readonly maxHosts: number;
}

/** The hosts to try for a domain with `records`, ordered by preference alone. */
export function hostsOfMx(records: readonly MxRecord[], rules: MxRules): HostPlan {
  const exchangers = records.map(({ preference, exchange }) => ({
    preference,
    host: exchange.replace(/\.$/, "").toLowerCase(),
  }));
  if (exchangers.every(({ host }) => host === "")) return { kind: "none", outcome: NULL_MX };
  const own = exchangers.filter(({ host }) => rules.ownNames.has(host));
  // RFC 5321 5.1: this relay's own preference and all that are no better are left out.
  const limit = Math.min(...own.map(({ preference }) => preference));
  const hosts = exchangers
    .filter(({ host, preference }) => host !== "" && preference < limit)
    .sort((a, b) => a.preference - b.preference)
    .slice(0, rules.maxHosts)
    .map(({ host, preference }): HostTarget => ({
      host,
      port: rules.port ?? SMTP_PORT,
      rank: preference,
      addresses: null,
    }));
  return hosts.length === 0 ? { kind: "none", outcome: LOOPS_BACK } : { kind: "hosts", hosts };
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
