import type { Resolver } from "../net/resolver.ts";
import type { IncomingMessage } from "../queue/intake.ts";
import type { MethodResult } from "../signing/arc/method_result.ts";
import type { SealFacts } from "../signing/arc/sealer.ts";
import { recordsOf } from "./preflight/check.ts";
import { evaluateSpf } from "./preflight/spf_eval.ts";

/** What the relay itself finds out about where a message came from, for its ARC seal. */
export function sealFacts(message: IncomingMessage, resolver: Resolver): SealFacts {
  const { clientAddress } = message.origin;
  const methods = Promise.all([
    login(message),
    reverseName(clientAddress, resolver),
    senderPolicy(message, resolver),
  ]);
  return { clientAddress, others: async () => (await methods).flatMap((result) => result ?? []) };
}

/** RFC 8601 section 2.7.4. */
function login({ origin: { user } }: IncomingMessage): MethodResult | null {
  if (user === undefined) return null;
  return { method: "auth", result: "pass", reason: "", properties: [["smtp.auth", user]] };
}

/** RFC 8601 section 2.7.3 and 3: whether the address has a name that leads back to it. */
async function reverseName(address: string, resolver: Resolver): Promise<MethodResult | null> {
  if (address === "") return null;
  const names = await resolver.ptr(address);
  const lookups = await Promise.all(
    recordsOf(names).slice(0, MAX_NAMES).map((name) => resolver.addresses(name)),
  );
  const isBack = lookups.some((found) => recordsOf(found).some((one) => one.address === address));
  const isOpen = [names, ...lookups].some(({ kind }) => kind === "temporary");
  const result = isBack
    ? "pass"
    : isOpen
    ? "temperror"
    : names.kind === "found"
    ? "fail"
    : "permerror";
  return { method: "iprev", result, reason: "", properties: [["policy.iprev", address]] };
}

const MAX_NAMES = 10;

/** RFC 7208 section 2.4: the domain of the reverse-path, or of the greeting where it is null. */
async function senderPolicy(
  { envelope: { reversePath }, origin: { clientAddress: address, helo } }: IncomingMessage,
  resolver: Resolver,
): Promise<MethodResult | null> {
  if (address === "") return null;
  const isNull = reversePath === "";
  const domain = isNull ? helo : reversePath.slice(reversePath.lastIndexOf("@") + 1);
  if (!domain.includes(".") || domain.startsWith("[")) return null;
  const result = await evaluateSpf(resolver, { domain: domain.toLowerCase(), address });
  const property = isNull ? "smtp.helo" : "smtp.mailfrom";
  return { method: "spf", result, reason: "", properties: [[property, domain]] };
}
