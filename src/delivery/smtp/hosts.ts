import type { Random } from "../../base/random.ts";
import { shuffled } from "../../base/random.ts";
import type { TlsExpectation } from "../tls/outcome.ts";
import { policyKey, type TlsPolicy } from "../tls/policy.ts";
import type { Outcome } from "../transport.ts";

/** A host that takes mail for a destination. */
export interface HostTarget {
  /** Its name, its IP address without brackets, or the path of a Unix socket. */
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Hosts of a lower rank come first; those of one rank are as good as each other. */
  readonly rank: number;
  /** Its IP addresses where they need no lookup; null where they do. */
  readonly addresses: readonly string[] | null;
  readonly policy: TlsPolicy;
  /** What connections are held against in reports; null where no notification is sent. */
  readonly expectation: TlsExpectation | null;
  /** Sessions with hosts of one key can stand in for each other: same host, port and policy. */
  readonly key: string;
}

/** Where mail for a domain may go. */
export type HostPlan =
  /** In the order in which to try them; at least one. */
  | { readonly kind: "hosts"; readonly hosts: readonly HostTarget[] }
  /** There is no host to try; the same outcome for all recipients. */
  | { readonly kind: "none"; readonly outcome: Outcome };

/** A target with its key. */
export function hostTarget(facts: Omit<HostTarget, "key">): HostTarget {
  return { ...facts, key: `${facts.host} ${facts.port} ${policyKey(facts.policy)}` };
}

/** Orders hosts by rank, those of one rank at random (RFC 5321 5.1). */
export function byRank<Host extends { readonly rank: number }>(
  hosts: readonly Host[],
  random: Random,
): Host[] {
  const mixed = hosts.length > 1 ? shuffled(hosts, random) : [...hosts];
  return mixed.sort((a, b) => a.rank - b.rank);
}
