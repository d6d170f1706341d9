import type { Random } from "../../base/random.ts";
import { reply } from "../../mail/reply.ts";
import type { SrvRecord } from "../../net/resolver.ts";
import type { Outcome } from "../transport.ts";
import type { MailResolver } from "./options.ts";
import { broken, lookupFailed } from "./outcome.ts";
import type { Candidate } from "./plan_hosts.ts";

/** The servers that a domain names for submission. */
export type SubmissionServers =
  /** Ordered by rank; at least one. */
  | {
    readonly kind: "servers";
    readonly servers: readonly Candidate[];
    /** Whether DNSSEC vouches for them. */
    readonly authentic: boolean;
  }
  | { readonly kind: "none"; readonly outcome: Outcome };

/**
 * Finds the servers of `domain` by its SRV records: `_submissions` where TLS comes first
 * (RFC 8314 section 5.1), `_submission` where it does not (RFC 6186 section 3.1).
 */
export async function submissionServers(
  domain: string,
  { implicit, resolver, random }: { implicit: boolean; resolver: MailResolver; random: Random },
): Promise<SubmissionServers> {
  const name = submissionName(domain, { implicit });
  const answer = await resolver.srv(name);
  if (answer.kind === "temporary") {
    return { kind: "none", outcome: lookupFailed(name, answer.reason) };
  }
  const records = answer.kind === "found" ? answer.records.filter(isOffered) : [];
  if (records.length === 0) {
    const text = `${domain} names no server for submission (${name})`;
    return { kind: "none", outcome: broken(reply(451, "4.4.4", text)) };
  }
  const servers = inOrder(records, random).map(({ target, port }, rank): Candidate => ({
    host: target,
    port,
    rank,
    addresses: null,
  }));
  return { kind: "servers", servers, authentic: answer.authentic };
}

/** The name of a domain's SRV records for submission. */
export function submissionName(domain: string, { implicit }: { implicit: boolean }): string {
  return `${implicit ? "_submissions" : "_submission"}._tcp.${domain}`;
}

/** RFC 2782: a target of `.` says that the service is not offered. */
function isOffered({ target }: SrvRecord): boolean {
  return target !== "" && target !== ".";
}

/** RFC 2782: by priority, those of one priority at random in the proportion of their weights. */
function inOrder(records: readonly SrvRecord[], random: Random): SrvRecord[] {
  const left = records.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const priority = left[0]?.priority;
    const group = left.filter((record) => record.priority === priority);
    const total = group.reduce((sum, { weight }) => sum + weight, 0);
    let draw = Math.floor(random.float() * (total + 1));
    const drawn = group.findIndex(({ weight }) => (draw -= weight) <= 0);
    ordered.push(...left.splice(Math.max(0, drawn), 1));
  }
  return ordered;
}
