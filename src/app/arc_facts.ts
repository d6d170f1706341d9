import { type Authenticated, evaluateDmarc } from "../authentication/dmarc.ts";
import { recordsOf } from "../authentication/records.ts";
import { evaluateSpf } from "../authentication/spf.ts";
import type { Clock } from "../base/clock.ts";
import { parseMailbox } from "../mail/address.ts";
import type { Resolver } from "../net/resolver.ts";
import type { IncomingMessage } from "../queue/intake.ts";
import type { MethodResult } from "../signing/arc/method_result.ts";
import type { SealFacts } from "../signing/arc/sealer.ts";
import { authorsOf } from "../signing/author.ts";
import type { DkimResult } from "../signing/verify/dkim_check.ts";

/** What finding out takes. */
export interface FactServices {
  readonly resolver: Resolver;
  readonly clock: Clock;
}

/** RFC 7208 section 4.6.4: no check goes on for longer, so that no session waits for it. */
const LIMIT_MS = 20_000;

/** What the relay itself finds out about where a message came from, for its ARC seal. */
export function sealFacts(message: IncomingMessage, services: FactServices): SealFacts {
  const { clientAddress } = message.origin;
  const early = Promise.all([
    login(message),
    reverseName(clientAddress, services),
    senderPolicy(message, services),
  ]);
  early.catch(() => {}); // it is awaited below, unless the message is given up before
  return {
    clientAddress,
    others: async (header, dkim) => {
      const known = (await early).flatMap((result) => result ?? []);
      const { from: [author, ...more] } = authorsOf(header);
      // RFC 9989 section 5.3.1: of several authors, none speaks for the others.
      if (author === undefined || more.length > 0) return known;
      const authenticated = domainsThatPassed(dkim, known);
      const dmarc = evaluateDmarc(services.resolver, { author, authenticated });
      return [...known, await inTime(dmarc, { ...services, late: lateDmarc(author) })];
    },
  };
}

function domainsThatPassed(
  dkim: readonly DkimResult[],
  known: readonly MethodResult[],
): readonly Authenticated[] {
  const spf = known.find(({ method, result }) => method === "spf" && result === "pass");
  return [
    ...dkim.filter(({ verdict }) => verdict === "pass").map(({ domain }) => ({
      ...{ method: "dkim", domain } as const,
    })),
    ...spf?.properties.map(([, domain]) => ({ ...{ method: "spf", domain } as const })) ?? [],
  ];
}

function lateDmarc(author: string): MethodResult {
  return {
    ...{ method: "dmarc", result: "temperror", reason: "" },
    properties: [["header.from", author]],
  };
}

/** RFC 8601 section 2.7.4. */
function login({ origin: { user } }: IncomingMessage): MethodResult | null {
  if (user === undefined) return null;
  return { method: "auth", result: "pass", reason: "", properties: [["smtp.auth", user]] };
}

/** RFC 8601 section 2.7.3: whether the address has a name that leads back to it. */
async function reverseName(
  address: string,
  services: FactServices,
): Promise<MethodResult | null> {
  if (address === "") return null;
  const checked = reverseResult(address, services.resolver);
  const result = await inTime(checked, { ...services, late: "temperror" });
  return { method: "iprev", result, reason: "", properties: [["policy.iprev", address]] };
}

const MAX_NAMES = 10;

async function reverseResult(address: string, resolver: Resolver): Promise<string> {
  const names = await resolver.ptr(address);
  if (names.kind === "temporary") return "temperror";
  if (names.kind !== "found") return "permerror";
  const lookups = await Promise.all(
    names.records.slice(0, MAX_NAMES).map((name) => resolver.addresses(name)),
  );
  const isBack = lookups.some((found) => recordsOf(found).some((one) => one.address === address));
  if (isBack) return "pass";
  return lookups.some(({ kind }) => kind === "temporary") ? "temperror" : "fail";
}

/** RFC 7208 section 2.4: the domain of the reverse-path, or of the greeting where it is null. */
async function senderPolicy(
  { envelope: { reversePath }, origin: { clientAddress: address, helo } }: IncomingMessage,
  services: FactServices,
): Promise<MethodResult | null> {
  if (address === "") return null;
  const sender = reversePath === "" ? `postmaster@${helo}` : reversePath;
  const parsed = parseMailbox(sender);
  if (parsed.kind === "error" || parsed.mailbox.domain.startsWith("[")) return null;
  const { domain } = parsed.mailbox;
  const checked = evaluateSpf(services.resolver, { domain, address, sender, helo })
    .then(({ result }) => result);
  const result = await inTime<string>(checked, { ...services, late: "temperror" });
  const property = reversePath === "" ? "smtp.helo" : "smtp.mailfrom";
  return { method: "spf", result, reason: "", properties: [[property, domain]] };
}

/** The value, or `late` where it takes too long. */
async function inTime<Value>(
  value: Promise<Value>,
  { clock, late }: { clock: Clock; late: Value },
): Promise<Value> {
  let cancel = (): void => {};
  const timeUp = new Promise<Value>((resolve) => {
    cancel = clock.schedule(LIMIT_MS, () => resolve(late));
  });
  try {
    return await Promise.race([value, timeUp]);
  } finally {
    cancel();
  }
}
