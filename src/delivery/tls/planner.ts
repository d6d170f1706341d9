import { type Reply, reply } from "../../mail/reply.ts";
import type { Resolver } from "../../net/resolver.ts";
import { broken } from "../smtp/outcome.ts";
import type { Outcome } from "../transport.ts";
import { findTlsa } from "./find_tlsa.ts";
import {
  publishedSts,
  publishedTlsa,
  type ReportedFailure,
  type TlsExpectation,
  unknownPolicy,
} from "./outcome.ts";
import type { TlsLevel, TlsPolicy } from "./policy.ts";
import { policyOf, type TlsRule, type TlsRules, type TlsTarget } from "./rules.ts";
import type { StsFinding } from "./sts.ts";
import { namesExchanger, type StsPolicy } from "./sts_policy.ts";

/** What connections to a host must come to. */
export type TlsPlan =
  | {
    readonly kind: "policy";
    readonly policy: TlsPolicy;
    /** What they are held against in reports; null where no notification is sent. */
    readonly expectation: TlsExpectation | null;
  }
  /** It must not be used. */
  | {
    readonly kind: "unusable";
    readonly outcome: Outcome;
    /** What a report would say of it; null where it says nothing. */
    readonly report:
      | { readonly expectation: TlsExpectation; readonly type: ReportedFailure }
      | null;
  };

/** What a plan depends on, the host apart. */
export interface TlsPlanning {
  readonly rules: TlsRules;
  readonly resolver: Pick<Resolver, "addresses" | "tlsa" | "cname">;
  /** What the domain says by MTA-STS; null where it was not looked up. */
  readonly sts: StsFinding | null;
  /** Whether the message asks for REQUIRETLS (RFC 8689). */
  readonly requireTls: boolean;
}

/** The policy for a host under a rule: the rule's own, or that which the domain publishes. */
export function planTls(
  rule: TlsRule,
  { target, ...planning }: TlsPlanning & { readonly target: TlsTarget },
): TlsPlan | Promise<TlsPlan> {
  const asks = planning.requireTls ? authenticated : unchanged;
  const planned = planByRule(rule, { target, ...planning });
  if (planned instanceof Promise) return planned.then((plan) => asks(plan, target));
  return asks(planned, target);
}

function unchanged(plan: TlsPlan): TlsPlan {
  return plan;
}

/** RFC 8689 section 4.2.1: the server must prove to be the one that the domain names. */
function authenticated(plan: TlsPlan, { host, authentic }: TlsTarget): TlsPlan {
  if (plan.kind === "unusable") return plan;
  const { level } = plan.policy;
  if (level !== "none" && !leavesOpen(level)) return plan;
  if (authentic) {
    return { ...plan, policy: { level: "verified", names: [host], by: "config" } };
  }
  const text = `Neither DNSSEC nor MTA-STS authenticates ${host} (REQUIRETLS)`;
  const outcome: Outcome = { kind: "unsuitable", reply: reply(550, "5.7.30", text) };
  return { kind: "unusable", outcome, report: null };
}

function planByRule(
  rule: TlsRule,
  { target, ...planning }: TlsPlanning & { readonly target: TlsTarget },
): TlsPlan | Promise<TlsPlan> {
  const { rules, resolver, sts } = planning;
  const { level } = rule;
  const asksForTlsa = level === "dane" || (leavesOpen(level) && rules.dane === true);
  if (asksForTlsa && target.authentic) {
    return findTlsa(target, resolver).then((found) => {
      if (found.kind === "none") return planWithoutTlsa(rule, { target, sts });
      return found.kind === "records" ? planTlsa(found, target) : noAnswer(found.reply, target);
    });
  }
  return planWithoutTlsa(rule, { target, sts });
}

/** Whether a rule leaves it to the domain to ask for more. */
export function leavesOpen(level: TlsLevel): boolean {
  return level === "opportunistic" || level === "required";
}

function planTlsa(
  { usable, all, names }: Extract<Awaited<ReturnType<typeof findTlsa>>, { kind: "records" }>,
  { domain }: TlsTarget,
): TlsPlan {
  // RFC 7672 section 2.2: records that cannot be used still say that TLS is there.
  const policy: TlsPolicy = usable.length === 0
    ? { level: "required" }
    : { level: "dane", records: usable, names };
  const expectation = expect(domain, {
    ...{ published: publishedTlsa(all), policy },
    ...(usable.length === 0 ? { defect: "tlsa-invalid" } : {}),
  });
  return { kind: "policy", policy, expectation };
}

/** RFC 7672 section 2.1: an answer that somebody may keep back is not the absence of one. */
function noAnswer(reply: Reply, { domain }: TlsTarget): TlsPlan {
  return withoutTlsa(reply, { domain, type: "dnssec-invalid" });
}

function withoutTlsa(
  reply: Reply,
  { domain, type }: { domain: string | null; type: ReportedFailure },
): TlsPlan {
  const published = unknownPolicy("tlsa");
  const expectation = expect(domain, { published, policy: { level: "required" } });
  const report = expectation === null ? null : { expectation, type };
  return { kind: "unusable", outcome: broken(reply), report };
}

function planWithoutTlsa(
  rule: TlsRule,
  { target, sts }: { target: TlsTarget; sts: StsFinding | null },
): TlsPlan {
  const { level } = rule;
  if (level === "dane") {
    const text = `${target.host} has no TLSA record authenticated by DNSSEC`;
    const { domain } = target;
    return withoutTlsa(reply(451, "4.7.5", text), { domain, type: "dane-required" });
  }
  const policy = policyOf({ ...rule, level }, target);
  if (sts?.kind === "policy" && leavesOpen(level)) return planSts(sts.policy, { target, policy });
  const expectation = expect(target.domain, {
    policy: { level: "required" },
    ...(sts?.kind === "failed"
      ? { published: unknownPolicy("sts"), defect: sts.type }
      : { published: { type: "no-policy-found" } }),
  });
  return { kind: "policy", policy, expectation: level === "none" ? null : expectation };
}

/** RFC 8461 section 5: what `enforce` forbids, `testing` reports. */
function planSts(
  sts: StsPolicy,
  { target: { host, domain }, policy }: { target: TlsTarget; policy: TlsPolicy },
): TlsPlan {
  const verified: TlsPolicy = { level: "verified", names: [host], by: "mta_sts" };
  const isNamed = namesExchanger(sts, host);
  const expectation = expect(domain, {
    ...{ published: publishedSts(sts), policy: verified },
    ...(isNamed ? {} : { defect: "validation-failure" }),
  });
  if (sts.mode === "enforce" && !isNamed) {
    const text = `${host} is not a mail exchanger of ${domain} in its MTA-STS policy`;
    const report = expectation === null
      ? null
      : { expectation, type: "validation-failure" as const };
    return { kind: "unusable", outcome: broken(reply(451, "4.7.5", text)), report };
  }
  return { kind: "policy", policy: sts.mode === "enforce" ? verified : policy, expectation };
}

function expect(
  domain: string | null,
  facts: Omit<TlsExpectation, "domain">,
): TlsExpectation | null {
  return domain === null ? null : { domain, ...facts };
}
