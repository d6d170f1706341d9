import type { Clock } from "../../base/clock.ts";
import { formatReply } from "../../mail/reply.ts";
import { planTls, type TlsPlan } from "../../delivery/tls/planner.ts";
import type { TlsPolicy } from "../../delivery/tls/policy.ts";
import type { TlsRule, TlsRules, TlsTarget } from "../../delivery/tls/rules.ts";
import { MtaSts, type StsFinding } from "../../delivery/tls/sts.ts";
import type { Resolver } from "../../net/resolver.ts";

/** Nobody waits longer for an explanation. */
const FETCH_TIMEOUT_MS = 5_000;

/** What a domain says by MTA-STS now, whatever was said before. */
export async function stsOf(
  domain: string,
  { resolver, clock }: { resolver: Pick<Resolver, "txt">; clock: Clock },
): Promise<StsFinding> {
  await using sts = new MtaSts({
    ...{ clock, resolver, shelf: null, onError: () => {} },
    fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) }),
  });
  return await sts.find(domain);
}

/** What connections to one host must come to, in words; or why it must not be used. */
export async function hostTls(
  target: TlsTarget,
  { rule, rules, resolver, sts }: {
    rule: TlsRule;
    rules: TlsRules;
    resolver: Pick<Resolver, "addresses" | "tlsa" | "cname">;
    sts: StsFinding | null;
  },
): Promise<{ readonly tls: string; readonly problem: string }> {
  const plan = await planTls(rule, { target, rules, resolver, sts, requireTls: false });
  return plan.kind === "policy"
    ? { tls: policyWords(plan.policy) + doubt(sts), problem: "" }
    : { tls: "", problem: problemOf(plan) };
}

function problemOf({ outcome }: Extract<TlsPlan, { kind: "unusable" }>): string {
  return formatReply(outcome.reply);
}

function policyWords(policy: TlsPolicy): string {
  switch (policy.level) {
    case "none":
      return "no TLS";
    case "opportunistic":
      return "opportunistic TLS";
    case "required":
      return "TLS with any certificate";
    case "verified": {
      const by = policy.by === "mta_sts" ? " by MTA-STS" : "";
      return `TLS verified${by} for ${policy.names.join(" or ")}`;
    }
    case "fingerprint":
      return `TLS with one of ${policy.fingerprints.length} certificates`;
    case "dane":
      return `TLS verified by DANE (TLSA records: ${policy.records.length})`;
  }
}

function doubt(sts: StsFinding | null): string {
  if (sts?.kind === "failed") return ` (its MTA-STS policy is unavailable: ${sts.type})`;
  if (sts?.kind === "policy" && sts.policy.mode === "testing") return " (MTA-STS is in testing)";
  return "";
}
