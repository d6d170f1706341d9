import { reply } from "../../mail/reply.ts";
import type { Resolver } from "../../net/resolver.ts";
import { broken } from "../smtp/outcome.ts";
import type { Outcome } from "../transport.ts";
import { isUsable } from "./dane.ts";
import type { TlsPolicy } from "./policy.ts";
import { policyOf, type TlsRule, type TlsRules, type TlsTarget } from "./rules.ts";

/** What connections to a host must come to. */
export type TlsPlan =
  | { readonly kind: "policy"; readonly policy: TlsPolicy }
  /** It must not be used. */
  | { readonly kind: "unusable"; readonly outcome: Outcome };

/** What the DNS says of a host's certificates. */
type TlsaFindings =
  | { readonly kind: "policy"; readonly policy: TlsPolicy }
  /** Nothing that DNSSEC vouches for. */
  | { readonly kind: "none" }
  | { readonly kind: "unusable"; readonly outcome: Outcome };

/** The policy for a host under a rule: the rule's own, or that which the host publishes. */
export function planTls(
  rule: TlsRule,
  { target, rules, resolver, requireTls }: {
    target: TlsTarget;
    rules: TlsRules;
    resolver: Pick<Resolver, "addresses" | "tlsa">;
    /** Whether the message asks for REQUIRETLS (RFC 8689). */
    requireTls: boolean;
  },
): TlsPlan | Promise<TlsPlan> {
  const plan = planByRule(rule, { target, rules, resolver });
  if (!requireTls) return plan;
  return plan instanceof Promise
    ? plan.then((found) => authenticated(found, target))
    : authenticated(plan, target);
}

/** RFC 8689 section 4.2.1: the server must prove to be the one that the domain names. */
function authenticated(plan: TlsPlan, { host, authentic }: TlsTarget): TlsPlan {
  if (plan.kind === "unusable") return plan;
  const { level } = plan.policy;
  if (level !== "none" && level !== "opportunistic" && level !== "required") return plan;
  if (authentic) {
    return { kind: "policy", policy: { level: "verified", names: [host], by: "config" } };
  }
  const text = `Neither DNSSEC nor MTA-STS says that ${host} is the server (REQUIRETLS)`;
  return { kind: "unusable", outcome: { kind: "unsuitable", reply: reply(550, "5.7.30", text) } };
}

function planByRule(
  rule: TlsRule,
  { target, rules, resolver }: {
    target: TlsTarget;
    rules: TlsRules;
    resolver: Pick<Resolver, "addresses" | "tlsa">;
  },
): TlsPlan | Promise<TlsPlan> {
  const { level } = rule;
  if (level === "dane") return planDane(target, resolver);
  const plan: TlsPlan = { kind: "policy", policy: policyOf({ ...rule, level }, target) };
  const isOpen = level === "opportunistic" || level === "required";
  if (!isOpen || rules.dane !== true || !target.authentic) return plan;
  return findTlsa(target, resolver).then((found) => found.kind === "none" ? plan : found);
}

async function planDane(
  target: TlsTarget,
  resolver: Pick<Resolver, "addresses" | "tlsa">,
): Promise<TlsPlan> {
  const found = target.authentic ? await findTlsa(target, resolver) : NONE;
  if (found.kind !== "none") return found;
  const text = `${target.host} has no TLSA record that DNSSEC vouches for`;
  return { kind: "unusable", outcome: broken(reply(451, "4.7.5", text)) };
}

const NONE: TlsaFindings = { kind: "none" };

/** RFC 7672 section 2.2: the records at the end of the host's aliases, else at its own name. */
async function findTlsa(
  { host, port, domain }: TlsTarget,
  resolver: Pick<Resolver, "addresses" | "tlsa">,
): Promise<TlsaFindings> {
  const addresses = await resolver.addresses(host);
  if (addresses.kind !== "found" || !addresses.authentic) return NONE;
  const { canonicalName } = addresses;
  const bases = canonicalName === host ? [host] : [canonicalName, host];
  for (const base of bases) {
    const names = new Set([base, host, ...domain === null ? [] : [domain]]);
    const found = await tlsaOf(base, { port, names: [...names], resolver });
    if (found.kind !== "none") return found;
  }
  return NONE;
}

async function tlsaOf(
  base: string,
  { port, names, resolver }: {
    port: number;
    names: readonly string[];
    resolver: Pick<Resolver, "tlsa">;
  },
): Promise<TlsaFindings> {
  const answer = await resolver.tlsa(`_${port}._tcp.${base}`);
  // RFC 7672 section 2.1: an answer that somebody may keep back is not the absence of one.
  if (answer.kind === "temporary") {
    const text = `Cannot look up the TLSA records of ${base}: ${answer.reason.replace("_", " ")}`;
    return { kind: "unusable", outcome: broken(reply(451, "4.7.5", text)) };
  }
  if (answer.kind !== "found" || !answer.authentic) return NONE;
  const records = answer.records.filter(isUsable);
  // RFC 7672 section 2.2: records that cannot be used still say that TLS is there.
  const policy: TlsPolicy = records.length === 0
    ? { level: "required" }
    : { level: "dane", records, names };
  return { kind: "policy", policy };
}
