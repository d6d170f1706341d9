import { ANY_AUTHOR, type AuthorDecision } from "../policy/authors.ts";
import { ACCEPT, type Decision } from "../policy/decision.ts";
import { isInNetworks } from "../policy/network.ts";
import { isTrusted } from "../policy/relay_policy.ts";
import { decide, decideNow } from "./check.ts";
import {
  COMMAND_CHECKS,
  CONNECT_CHECKS,
  CONTENT_CHECKS,
  EHLO_CHECKS,
  MAIL_CHECKS,
  RCPT_CHECKS,
} from "./checks.ts";
import type { ContentRequest, MailRequest, RecipientRequest, SessionFacts } from "./facts.ts";
import { OPEN_RULES, type ReceptionRules } from "./rules.ts";

/**
 * What SMTP and HTTP ask about mail. `receptionPolicy` is the one implementation, which runs the
 * lists of checks; tests and the demo put answers of their own in the place of some.
 */
export interface ServerPolicy {
  /** Before the greeting. A refusal with 421 closes the connection. */
  connect(facts: SessionFacts): Decision | Promise<Decision>;
  /** Before each command; a refusal ends the session. */
  command(facts: SessionFacts): Decision;
  /** The client named itself; `facts` have the new name. */
  helo(facts: SessionFacts): Decision | Promise<Decision>;
  mail(facts: SessionFacts, request: MailRequest): Decision | Promise<Decision>;
  /** Asked for every recipient but Postmaster without a domain (RFC 5321 4.5.1). */
  rcpt(facts: SessionFacts, request: RecipientRequest): Decision | Promise<Decision>;
  /** Asked once the header section is whole. */
  content(facts: SessionFacts, request: ContentRequest): AuthorDecision;
  /**
   * Whether the client may send to anyone, and so ask for what would not be done for a stranger:
   * held and urgent mail, the members of a list, the start of a queue.
   */
  trusts(facts: SessionFacts): boolean;
  /**
   * Whether Bcc fields are taken off the client's messages, because it hands in what users wrote
   * (RFC 5322 3.6.3).
   */
  hidesBcc(facts: SessionFacts): boolean;
  /** Whether a peer may name the client it speaks for (XCLIENT, XFORWARD). */
  speaksForOthers(peerAddress: string): boolean;
  /** Octets that a message of the client may have besides the listener's limit; 0 for no limit. */
  messageBytes(facts: SessionFacts): number;
}

/** Judges mail by the lists of checks and these rules; what is left out lets everything pass. */
export function receptionPolicy(some: Partial<ReceptionRules> = {}): ServerPolicy {
  const rules: ReceptionRules = { ...OPEN_RULES, ...some };
  const { relay, users } = rules;
  const commands = { rules, otherwise: ACCEPT };
  const contents = { rules, otherwise: ANY_AUTHOR };
  const trusts = (facts: SessionFacts): boolean => relay !== null && isTrusted(relay, facts);
  return {
    connect: (facts) => decide(CONNECT_CHECKS, { facts, request: null }, rules),
    command: (facts) => decideNow(COMMAND_CHECKS, { facts, request: null }, commands),
    helo: (facts) => decide(EHLO_CHECKS, { facts, request: null }, rules),
    mail: (facts, request) => decide(MAIL_CHECKS, { facts, request }, rules),
    rcpt: (facts, request) => decide(RCPT_CHECKS, { facts, request }, rules),
    content: (facts, request) => decideNow(CONTENT_CHECKS, { facts, request }, contents),
    trusts,
    hidesBcc: (facts) => !rules.keepsBcc && trusts(facts),
    speaksForOthers: (peerAddress) => isInNetworks(peerAddress, rules.proxies),
    messageBytes: ({ user }) => user === null ? 0 : users?.account(user)?.messageSizeBytes ?? 0,
  };
}

/** Lets everything pass, and trusts nobody with more. */
export const OPEN_POLICY: ServerPolicy = receptionPolicy();
