import type { Loss } from "../../delivery/transport.ts";
import { mailboxKey, type NamedAddress } from "./addresses.ts";
import { apiAddress } from "./carry.ts";
import type { ParsedMessage } from "./mime.ts";
import type { JobRecipient } from "./provider.ts";

/** Whom one request sends to; together they are exactly some recipients of the envelope. */
export interface Addressing {
  /** At least one, since nearly every API wants one. */
  readonly to: readonly NamedAddress[];
  readonly cc: readonly NamedAddress[];
  readonly bcc: readonly NamedAddress[];
  readonly recipients: readonly JobRecipient[];
}

/** The addressings of a message, and who is not shown any more. */
export interface AddressingPlan {
  readonly addressings: readonly Addressing[];
  readonly losses: readonly Loss[];
}

interface Slot {
  readonly address: string;
  readonly recipients: JobRecipient[];
}

/**
 * Spreads the envelope over the keys of an API that sends to anyone who is in them. A recipient
 * stands where the fields name them, and else in `bcc`. Whoever is in a field but not in the
 * envelope stands nowhere. Where nobody is left for `to`, those in `cc` take its place, and
 * recipients that no field names are sent to one by one, so that they do not see each other.
 */
export function planAddressing(
  { to, cc }: ParsedMessage,
  recipients: readonly JobRecipient[],
): AddressingPlan {
  const slots = new Map<string, Slot>();
  for (const recipient of recipients) {
    const address = apiAddress(recipient);
    const key = mailboxKey(address);
    const slot = slots.get(key);
    if (slot === undefined) slots.set(key, { address, recipients: [recipient] });
    else slot.recipients.push(recipient);
  }
  const rest = new Map(slots);
  const shownTo = takeNamed(to, rest);
  const shownCc = takeNamed(cc, rest);
  const hidden = [...rest.values()];
  const losses: Loss[] = [];
  const isForeign = ({ address }: NamedAddress): boolean => !slots.has(mailboxKey(address));
  if (to.some(isForeign)) losses.push({ kind: "recipient_fields", what: "To" });
  if (cc.some(isForeign)) losses.push({ kind: "recipient_fields", what: "Cc" });
  if (shownTo.length === 0) losses.push({ kind: "recipient_fields", what: "To" });
  const shown = [...shownTo, ...shownCc];
  if (shown.length === 0) {
    return { addressings: hidden.map(alone), losses: unique(losses) };
  }
  const addressing: Addressing = {
    to: shownTo.length > 0 ? shownTo : shownCc,
    cc: shownTo.length > 0 ? shownCc : [],
    bcc: hidden.map(nameless),
    recipients,
  };
  return { addressings: [addressing], losses: unique(losses) };
}

/** The mailboxes of a field that are in the envelope and were not taken before. */
function takeNamed(mailboxes: readonly NamedAddress[], rest: Map<string, Slot>): NamedAddress[] {
  const taken: NamedAddress[] = [];
  for (const { name, address } of mailboxes) {
    const key = mailboxKey(address);
    const slot = rest.get(key);
    if (slot === undefined) continue;
    rest.delete(key);
    taken.push({ name, address: slot.address });
  }
  return taken;
}

function alone(slot: Slot): Addressing {
  return { to: [nameless(slot)], cc: [], bcc: [], recipients: slot.recipients };
}

function nameless({ address }: Slot): NamedAddress {
  return { name: "", address };
}

function unique(losses: readonly Loss[]): Loss[] {
  return losses.filter((loss, index) =>
    losses.findIndex(({ what }) => what === loss.what) === index
  );
}
