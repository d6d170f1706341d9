import type { Outcome } from "../../delivery/transport.ts";
import type { JobRecipient } from "./provider.ts";

/** Sends to some recipients and says what became of each. */
export type SendTo = (recipients: readonly JobRecipient[]) => Promise<readonly Outcome[]>;

/** About an address, or about nothing in particular (RFC 3463 X.1 and X.6.0). */
const MAY_CONCERN_ONE = /^5\.(?:1\.\d+|6\.0)$/;
const PROBES = 2;

/** Whether an answer to a request for several may be about one of them whom it does not name. */
export function mayConcernOne(
  outcome: Outcome,
  recipients: readonly JobRecipient[],
): boolean {
  return recipients.length > 1 && isRefusal(outcome) &&
    MAY_CONCERN_ONE.test(outcome.reply.enhanced ?? "");
}

/**
 * Finds out whom the refusal of a whole request is about, so that nobody bounces for another's
 * address. It went to nobody, so that asking again for some of them sends nothing twice. Where the
 * first ones are refused each alone, it is the message, and the others are not tried.
 *
 * @return the result of each, in their order.
 */
export async function divide(
  recipients: readonly JobRecipient[],
  { refusal, sendTo }: { refusal: Outcome; sendTo: SendTo },
): Promise<readonly Outcome[]> {
  const probed: Outcome[] = [];
  for (const one of recipients.slice(0, PROBES)) probed.push(...await sendTo([one]));
  const rest = recipients.slice(PROBES);
  if (probed.every(isRefusal)) return [...probed, ...rest.map(() => refusal)];
  return [...probed, ...await search(rest, sendTo)];
}

/** One request where nobody of them is refused, two more with each half where somebody is. */
async function search(
  recipients: readonly JobRecipient[],
  sendTo: SendTo,
): Promise<readonly Outcome[]> {
  if (recipients.length === 0) return [];
  const outcomes = await sendTo(recipients);
  if (recipients.length === 1 || !outcomes.every(isRefusal)) return outcomes;
  const middle = recipients.length >> 1;
  const first = await search(recipients.slice(0, middle), sendTo);
  return [...first, ...await search(recipients.slice(middle), sendTo)];
}

function isRefusal({ kind }: Outcome): boolean {
  return kind === "permanent" || kind === "unsuitable";
}
