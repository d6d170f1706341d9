import type { Account } from "../auth/authenticator.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Decision } from "../policy/decision.ts";
import type { UsageLimits } from "../policy/limits/usage_limits.ts";
import type { Network } from "../policy/network.ts";
import type { RelayRules } from "../policy/relay_policy.ts";
import type { UserRates } from "../policy/user_rate.ts";

/** How many connections a listener has, and may have. */
export interface ConnectionRules {
  readonly count: number;
  readonly maxConnections: number;
  readonly maxPerClient: number;
  /** The connections of a client's address or network. */
  countOf(clientAddress: string): number;
}

/** The accounts of those who authenticate. */
export interface UserRules {
  /** What a user may do now; null for one that does not exist any more. */
  readonly account: (user: string) => Account | null;
  /** Shared by all listeners. */
  readonly rates: UserRates;
}

/** Addresses whose mail ends in this relay: return addresses (VERP) and bounce mailboxes. */
export interface ReturnAddressRules {
  owns(mailbox: string, domain: string): boolean;
  /** Whether one that it owns exists and is not too old. */
  accepts(mailbox: string, nowMs: number): boolean;
}

/** Recipients that get no mail. */
export interface SuppressionRules {
  /** False where the mailbox is certainly not suppressed. */
  mayHave(mailbox: string): boolean;
  find(mailbox: string): Promise<{ readonly source: string; readonly reason: string } | null>;
}

/**
 * What the checks of one listener, or of HTTP, judge by. All run the same lists; what differs is
 * this value, and a check whose part is null lets everything pass.
 */
export interface ReceptionRules {
  readonly clock: Clock;
  /** Who may send where; null for anyone to anywhere, with nobody trusted. */
  readonly relay: RelayRules | null;
  /** Whether Bcc fields stay in the messages of those who may send to anyone. */
  readonly keepsBcc: boolean;
  readonly connections: ConnectionRules | null;
  /** What clients may do in a time. */
  readonly usage: UsageLimits | null;
  /** Whether the store takes messages now. */
  readonly store: { judge(): Decision } | null;
  readonly users: UserRules | null;
  readonly returnAddresses: ReturnAddressRules | null;
  readonly suppressions: SuppressionRules | null;
  /** Peers that may name the client they speak for (XCLIENT, XFORWARD). */
  readonly proxies: readonly Network[];
}

/** Lets everything pass, and trusts nobody with more. */
export const OPEN_RULES: ReceptionRules = {
  clock: systemClock,
  relay: null,
  keepsBcc: false,
  connections: null,
  usage: null,
  store: null,
  users: null,
  returnAddresses: null,
  suppressions: null,
  proxies: [],
};
