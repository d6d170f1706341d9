import { planTls, type TlsPlan } from "../tls/planner.ts";
import type { TlsRule, TlsRules } from "../tls/rules.ts";
import type { DeliveryJob, Outcome } from "../transport.ts";
import { type HostPlan, type HostTarget, hostTarget } from "./hosts.ts";
import type { MailResolver } from "./options.ts";

/** A host before it is known how connections to it must be secured. */
export type Candidate = Omit<HostTarget, "key" | "policy">;

/** What the security of hosts depends on. */
export interface HostRules {
  readonly rule: TlsRule;
  readonly rules: TlsRules;
  readonly resolver: MailResolver;
  /** The domain that the hosts serve; null where they serve all. */
  readonly domain: string | null;
  /** As in `TlsTarget`. */
  readonly authentic: boolean;
  /** Whether the message asks for REQUIRETLS. */
  readonly requireTls: boolean;
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
    const { domain, authentic, rule } = host;
    const target = { host: candidate.host, port: candidate.port, domain, authentic };
    return planTls(rule, { ...host, target });
  });
  const known = plans.filter((plan): plan is TlsPlan => !(plan instanceof Promise));
  if (known.length === plans.length) return merge(candidates, known);
  return Promise.all(plans).then((found) => merge(candidates, found));
}

/** The system vouches for what is behind the path of a Unix socket. */
const LOCAL: TlsPlan = { kind: "policy", policy: { level: "none" } };

function merge(candidates: readonly Candidate[], plans: readonly TlsPlan[]): HostPlan {
  const hosts: HostTarget[] = [];
  let trouble: Outcome | null = null;
  for (const [index, candidate] of candidates.entries()) {
    const plan = plans[index];
    if (plan?.kind === "policy") hosts.push(hostTarget({ ...candidate, policy: plan.policy }));
    else trouble ??= plan?.outcome ?? null;
  }
  if (hosts.length > 0 || trouble === null) return { kind: "hosts", hosts };
  return { kind: "none", outcome: trouble };
}
