import { recordsOf, taggedRecords } from "../../authentication/records.ts";
import { namesExchanger, parseStsPolicy, type StsPolicy } from "../../delivery/tls/sts_policy.ts";
import type { Resolver } from "../../net/resolver.ts";
import { fail, type Finding, pass, unanswered, warning } from "./check.ts";

/** RFC 8461 3.2: more than 64 KiB need not be read. */
const POLICY_LIMIT_BYTES = 64 * 1024;

export interface MtaStsParts {
  readonly resolver: Pick<Resolver, "txt" | "mx">;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

/** Whether senders must encrypt mail to the domain (RFC 8461). */
export async function checkMtaSts(
  { resolver, fetch, signal }: MtaStsParts,
  { domain }: { domain: string },
): Promise<Finding> {
  const name = `_mta-sts.${domain}`;
  const found = await taggedRecords(resolver, { name, tag: /^v=STSv1(?:$|[ ;])/i });
  if (found === null) return unanswered(name);
  const exchanges = recordsOf(await resolver.mx(domain)).map(({ exchange }) => exchange);
  if (found.length === 0) return notThere(domain, exchanges);
  const address = `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
  const policy = await readPolicy({ fetch, signal }, address);
  if (policy.kind === "failed") {
    return fail({
      detail: `The record exists, but its policy does not: ${policy.reason}`,
      found,
      advice: `Serve the policy at ${address}, or remove the record.`,
    });
  }
  const { mode, mx } = policy.policy;
  const uncovered = exchanges.filter((exchange) => !namesExchanger({ mx }, exchange));
  const seen = [...found, `mode: ${mode}`, ...mx.map((pattern) => `mx: ${pattern}`)];
  if (uncovered.length > 0) {
    return fail({
      detail: `The policy does not list ${uncovered.join(", ")}, so mail to it is not delivered.`,
      found: seen,
      advice: "Add a line mx: for each mail server, then change the id of the record.",
    });
  }
  if (mode === "enforce") return pass("Senders must encrypt.", seen);
  return warning({
    detail: `The mode is ${mode}: nothing is enforced.`,
    found: seen,
    advice: "When reports show no failures, use mode: enforce and change the id of the record.",
  });
}

function notThere(domain: string, exchanges: readonly string[]): Finding {
  const lines = ["version: STSv1", "mode: testing", ...exchanges.map((name) => `mx: ${name}`)];
  return warning({
    detail: "Senders may deliver mail to the domain without encryption.",
    advice: `Serve this policy at https://mta-sts.${domain}/.well-known/mta-sts.txt: ` +
      `${[...lines, "max_age: 86400"].join(" / ")} (a line each), then add the record.`,
    records: [{ name: `_mta-sts.${domain}`, type: "TXT", value: "v=STSv1; id=1" }],
  });
}

type Policy =
  | { readonly kind: "read"; readonly policy: StsPolicy }
  | { readonly kind: "failed"; readonly reason: string };

async function readPolicy(
  { fetch, signal }: Pick<MtaStsParts, "fetch" | "signal">,
  address: string,
): Promise<Policy> {
  try {
    // RFC 8461 3.3: redirects must not be followed.
    const response = await fetch(address, { redirect: "manual", signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { kind: "failed", reason: `${address} answers ${response.status}` };
    }
    const policy = parseStsPolicy(await readStart(response));
    if (policy === null) return { kind: "failed", reason: `${address} has no valid policy` };
    return { kind: "read", policy };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "failed", reason };
  }
}

async function readStart(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > POLICY_LIMIT_BYTES) break;
  }
  return text;
}
