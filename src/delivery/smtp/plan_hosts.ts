import type { TlsOutcomeSink } from "../tls/outcome.ts";
import { planTls, type TlsPlan, type TlsPlanning } from "../tls/planner.ts";
import type { TlsRule } from "../tls/rules.ts";
import type { StsFinding } from "../tls/sts.ts";
import type { DeliveryJob, Outcome } from "../transport.ts";
import { type HostPlan, type HostTarget, hostTarget } from "./hosts.ts";

/** A host before it is known how connections to it must be secured. */
export type Candidate = Omit<HostTarget, "key" | "policy" | "expectation">;

/** What the security of hosts depends on. */
export interface HostRules extends Omit<TlsPlanning, "sts"> {
  readonly rule: TlsRule;
  /** The domain that the hosts serve; null where they serve all. */
  readonly domain: string | null;
  /** As in `TlsTarget`. */
  readonly authentic: boolean;
  /** What the domain says by MTA-STS; absent where it was not looked up. */
  readonly sts?: StsFinding | null;
  /** Is notified of hosts that are left out; without it connections are not reported either. */
  readonly onTlsOutcome?: TlsOutcomeSink | undefined;
}

/**
 * Whether a message asks for REQUIRETLS. A notification goes without (RFC 8689 section 5), or
 * nobody would learn that the message did not arrive.
 */
export function asksForTls({ message: { extras, reversePath } }: DeliveryJob): boolean {
  return extras?.requireTls === true && reversePath !== "";
}

/**
 * Finds out how connections to each host must be secured, without a promise where nobody has to
 * be asked for it. Hosts that must not be used for now are left out.
 */
export function planHosts(
  candidates: readonly Candidate[],
  host: HostRules,
): HostPlan | Promise<HostPlan> {
  const plans = candidates.map((candidate) => {
    if (candidate.port === 0) return LOCAL;
    const { domain, authentic, rule, sts = null } = host;
    const target = { host: candidate.host, port: candidate.port, domain, authentic };
    return planTls(rule, { ...host, sts, target });
  });
  const known = plans.filter((plan): plan is TlsPlan => !(plan instanceof Promise));
  if (known.length === plans.length) return merge(candidates, { plans: known, host });
  return Promise.all(plans).then((found) => merge(candidates, { plans: found, host }));
}

/** The system vouches for what is behind the path of a Unix socket. */
const LOCAL: TlsPlan = { kind: "policy", policy: { level: "none" }, expectation: null };

function merge(
  candidates: readonly Candidate[],
  { plans, host }: { plans: readonly TlsPlan[]; host: HostRules },
): HostPlan {
  const hosts: HostTarget[] = [];
  let trouble: Outcome | null = null;
  for (const [index, candidate] of candidates.entries()) {
    const plan = plans[index];
    if (plan === undefined) continue;
    if (plan.kind === "policy") {
      const { policy } = plan;
      const expectation = host.onTlsOutcome === undefined ? null : plan.expectation;
      hosts.push(hostTarget({ ...candidate, policy, expectation }));
      continue;
    }
    trouble ??= plan.outcome;
    if (plan.report !== null) {
      const { expectation: { domain, published }, type } = plan.report;
      const failure = { type, host: candidate.host, receivingAddress: "", sendingAddress: "" };
      host.onTlsOutcome?.({ domain, published, failure });
    }
  }
  if (hosts.length > 0 || trouble === null) return { kind: "hosts", hosts };
  return { kind: "none", outcome: trouble };
}
