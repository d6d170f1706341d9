import { recordsOf } from "../authentication/records.ts";
import { evaluateSpf } from "../authentication/spf.ts";
import type { Clock } from "../base/clock.ts";
import type { DeliveryJob } from "../delivery/transport.ts";
import { parseMailbox } from "../mail/address.ts";
import type { Resolver } from "../net/resolver.ts";
import { SigningStream } from "../signing/stream.ts";
import { BodyHashes } from "../signing/verify/body_hashes.ts";
import { type DkimResult, startDkimChecks } from "../signing/verify/dkim_check.ts";

/** What finding out takes. */
export interface ProofServices {
  readonly resolver: Resolver;
  readonly clock: Clock;
}

/** Reports that are longer are not looked at: what they say they say long before. */
const LIMIT_BYTES = 4 * 1024 * 1024;
/** Exchangers of a domain that may speak for it. */
const MAX_EXCHANGERS = 20;

/**
 * Finds out whether a report comes from those who take mail for a domain: a domain that SPF
 * (RFC 7208) or a DKIM signature (RFC 6376) proves its sender to be is that domain, stands below
 * it, or is one that the domain or one of its mail exchangers stands below. What cannot be found
 * out is no proof.
 */
export function providerProof(
  report: DeliveryJob,
  services: ProofServices,
): (domain: string) => Promise<boolean> {
  let proven: Promise<readonly string[]> | null = null;
  return async (domain) => {
    if (domain === "") return false;
    proven ??= provenDomains(report, services);
    const names = await proven;
    if (names.length === 0) return false;
    if (names.some((one) => isWithin(domain, one) || isWithin(one, domain))) return true;
    const exchangers = recordsOf(await services.resolver.mx(domain)).slice(0, MAX_EXCHANGERS);
    return exchangers.some(({ exchange }) =>
      names.some((one) => isWithin(exchange.toLowerCase(), one))
    );
  };
}

async function provenDomains(
  report: DeliveryJob,
  services: ProofServices,
): Promise<readonly string[]> {
  const [spf, dkim] = await Promise.all([
    spfDomain(report, services),
    dkimDomains(report, services),
  ]);
  return spf === null ? dkim : [spf, ...dkim];
}

/** The domain of the reverse-path, or of the greeting where it is null, where SPF passes. */
async function spfDomain(
  { message: { reversePath, origin } }: DeliveryJob,
  { resolver }: ProofServices,
): Promise<string | null> {
  const { clientAddress: address, helo } = origin;
  if (address === "") return null;
  const sender = reversePath === "" ? `postmaster@${helo}` : reversePath;
  const parsed = parseMailbox(sender);
  if (parsed.kind === "error" || parsed.mailbox.domain.startsWith("[")) return null;
  const { domain } = parsed.mailbox;
  const { result } = await evaluateSpf(resolver, { domain, address, sender, helo });
  return result === "pass" ? domain : null;
}

async function dkimDomains(
  { body }: DeliveryJob,
  { resolver, clock }: ProofServices,
): Promise<readonly string[]> {
  if (body.sizeBytes > LIMIT_BYTES) return [];
  const bodies = new BodyHashes();
  let finish: (() => Promise<readonly DkimResult[]>) | null = null;
  const stream = new SigningStream((header) => {
    const services = { txt: (name: string) => resolver.txt(name), nowMs: clock.now() };
    finish = startDkimChecks(header, { bodies, ...services });
    return { write: (chunk) => bodies.write(chunk), finish: () => Promise.resolve("") };
  });
  for await (const chunk of body.stream()) stream.write(chunk);
  await stream.finish();
  const results = await (finish as (() => Promise<readonly DkimResult[]>) | null)?.() ?? [];
  return results.filter(({ verdict }) => verdict === "pass").map((one) => one.domain.toLowerCase());
}

/** A name of one label is nobody's. */
function isWithin(name: string, parent: string): boolean {
  return parent.includes(".") && (name === parent || name.endsWith(`.${parent}`));
}
