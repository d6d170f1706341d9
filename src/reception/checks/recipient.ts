import { reply } from "../../mail/reply.ts";
import { ACCEPT, refuse } from "../../policy/decision.ts";
import { decideRelay } from "../../policy/relay_policy.ts";
import { type Check, refusalIn, type SyncCheck } from "../check.ts";
import type { RecipientRequest } from "../facts.ts";

const NO_SUCH_ADDRESS = reply(550, "5.1.1", "No such return address");
const SUPPRESSED = reply(550, "5.7.1", "Recipient is on the suppression list of this relay");

/** Takes mail for return addresses and bounce mailboxes from anyone, and decides alone. */
export const returnAddress: SyncCheck<RecipientRequest> = {
  name: "return_address",
  about: "return addresses and bounce mailboxes of this relay",
  judge({ request: { recipient: { text, domain }, alias } }, { returnAddresses, clock }) {
    if (returnAddresses === null || alias || !returnAddresses.owns(text, domain)) return null;
    return returnAddresses.accepts(text, clock.now())
      ? ACCEPT
      : refuse(NO_SUCH_ADDRESS, "the return address is forged or too old");
  },
};

/** RFC 5321 3.6.2: who may send where. Aliases are this relay's own, so anyone may. */
export const relaying: SyncCheck<RecipientRequest> = {
  name: "relay",
  about: "who may send where",
  judge({ facts: { clientAddress, user }, request: { recipient, routed, alias } }, { relay }) {
    if (relay === null || alias) return null;
    return refusalIn(decideRelay(relay, { clientAddress, user, recipient, routed }));
  },
};

/** Refuses recipients that get no mail, so that their senders learn it at once. */
export const suppression: Check<RecipientRequest> = {
  name: "suppression",
  about: "recipients that get no mail",
  judge({ request: { recipient: { text } } }, { suppressions }) {
    if (suppressions === null || !suppressions.mayHave(text)) return null;
    return suppressions.find(text).then((found) =>
      found === null ? null : refuse(SUPPRESSED, `${found.source}: ${found.reason}`)
    );
  },
};
