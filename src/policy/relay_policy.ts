import { parseIp } from "../base/ip.ts";
import type { Mailbox } from "../mail/address.ts";
import { reply } from "../mail/reply.ts";
import { ACCEPT, type Decision, refuse } from "./decision.ts";
import type { DomainSet } from "./domain_set.ts";
import { inNetworks, type Network } from "./network.ts";

/** Who may send where. */
export interface RelayRules {
  /** Clients that may send to anyone. */
  readonly trustedNetworks: readonly Network[];
  /** Domains that anyone may send to. */
  readonly relayDomains: DomainSet;
  /** Names of this relay; their postmaster is always reached (RFC 5321 4.5.1). */
  readonly ownNames: DomainSet;
}

/** A client and the recipient it names. */
export interface RelayRequest {
  /** IP address, brackets and port not included. */
  readonly clientAddress: string;
  /** The authenticated user; users may send to anyone. */
  readonly user: string | null;
  readonly recipient: Mailbox;
  /** Whether the forward-path had a source route. */
  readonly routed: boolean;
}

const DENIED = reply(550, "5.7.1", "Relaying denied"); // RFC 5321 3.6.2
const ROUTING_DENIED = reply(550, "5.7.1", "Relaying denied: address routes to another host");

/** Decides whether the relay takes mail for a recipient from a client. */
export function decideRelay(rules: RelayRules, request: RelayRequest): Decision {
  if (isTrusted(rules, request)) return ACCEPT;
  const { recipient, routed } = request;
  // RFC 5321 3.6.1, RFC 2505 2.1: the domain alone does not tell where such mail ends up.
  if (routed || hasSecondRoute(recipient.localPart)) {
    return refuse(ROUTING_DENIED, "the recipient is routed through this host");
  }
  if (rules.relayDomains.has(recipient.domain)) return ACCEPT;
  if (isOwnPostmaster(rules, recipient)) return ACCEPT;
  return refuse(DENIED, "the client is not trusted and the recipient domain is not ours");
}

/** Whether the client may send to anyone. */
export function isTrusted(
  { trustedNetworks }: RelayRules,
  { clientAddress, user }: Pick<RelayRequest, "clientAddress" | "user">,
): boolean {
  if (user !== null) return true;
  const octets = parseIp(clientAddress);
  return octets !== null && inNetworks(octets, trustedNetworks);
}

/** `a%b@us`, `b!a@us` and `"a@b"@us` ask this host or the next one to pass the mail on. */
function hasSecondRoute(localPart: string): boolean {
  return /[%!@]/.test(localPart);
}

function isOwnPostmaster({ ownNames }: RelayRules, { localPart, domain }: Mailbox): boolean {
  return localPart.toLowerCase() === "postmaster" && ownNames.has(domain);
}
