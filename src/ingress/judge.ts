import { isAsciiText, type Mailbox, parseMailbox } from "../mail/address.ts";
import type { Envelope, Recipient } from "../mail/envelope.ts";
import { type Reply, reply } from "../mail/reply.ts";
import { type AliasMap, membersInPlace } from "../policy/aliases.ts";
import { decideUserSender } from "../policy/user_sender.ts";
import type { ServerPolicy, SessionFacts } from "../smtp/server/policy.ts";
import type { SubmittedMessage, Submitter } from "./submission.ts";

/** The name by which rules and routes know this way in. */
export const HTTP_LISTENER = "http";

/** The rules in force. */
export interface JudgeRules {
  readonly policy: ServerPolicy;
  /** Null where there are none. */
  readonly aliases: AliasMap | null;
  /** The most recipients of a message, before aliases are expanded. */
  readonly recipients: number;
}

/** What MAIL and RCPT would have come to. */
export type Judged =
  | { readonly kind: "accepted"; readonly envelope: Envelope }
  | { readonly kind: "refused"; readonly reply: Reply; readonly recipient?: string };

type Refused = Extract<Judged, { readonly kind: "refused" }>;

const TOO_MANY = reply(452, "4.5.3", "Too many recipients");
const NOBODY = reply(554, "5.5.1", "No recipients");

/** Asks the rules about a message's envelope: all recipients or nobody. */
export async function judgeEnvelope(
  { from, to, holdUntilMs }: Omit<SubmittedMessage, "message">,
  { by, rules }: { by: Submitter; rules: JudgeRules },
): Promise<Judged> {
  const sender = await judgeSender(from, { by, rules });
  if (sender !== null) return sender;
  const recipients = await judgeRecipients({ from, to }, { facts: factsOf(by), rules });
  if (!Array.isArray(recipients)) return recipients;
  const envelope: Envelope = {
    ...{ reversePath: from, body: "8BITMIME", recipients },
    smtpUtf8: ![from, ...recipients.map(({ forwardPath }) => forwardPath)].every(isAsciiText),
    ...(holdUntilMs === undefined ? {} : { extras: { holdUntilMs } }),
  };
  return { kind: "accepted", envelope };
}

async function judgeSender(
  from: string,
  { by, rules: { policy } }: { by: Submitter; rules: JudgeRules },
): Promise<Refused | null> {
  const sender = from === "" ? null : mailboxOf(from, "5.1.7");
  if (sender !== null && "kind" in sender) return sender;
  if (by.senders !== null) {
    const rules = { name: by.user ?? "", senders: by.senders };
    const decision = decideUserSender(rules, sender);
    if (decision.kind === "refuse") return { kind: "refused", reply: decision.reply };
  }
  const decision = await policy.mail(factsOf(by), { sender });
  return decision.kind === "refuse" ? { kind: "refused", reply: decision.reply } : null;
}

/** All or nobody: an answer by HTTP speaks of the whole message. */
async function judgeRecipients(
  { from, to }: Pick<SubmittedMessage, "from" | "to">,
  { facts, rules }: { facts: SessionFacts; rules: JudgeRules },
): Promise<Recipient[] | Refused> {
  const { policy, aliases, recipients: most } = rules;
  const named = new Set<string>();
  const recipients = new Map<string, Recipient>();
  for (const text of to) {
    const recipient = mailboxOf(text, "5.1.3");
    if ("kind" in recipient) return { ...recipient, recipient: text };
    const key = keyOf(recipient);
    if (named.has(key)) continue;
    if (named.size >= most) return { kind: "refused", reply: TOO_MANY };
    const alias = aliases?.get(recipient) ?? null;
    const decision = await policy.rcpt(facts, {
      ...{ recipient, routed: false, alias: alias !== null, reversePath: from },
      recipientCount: named.size,
    });
    if (decision.kind === "refuse") {
      return { kind: "refused", reply: decision.reply, recipient: text };
    }
    named.add(key);
    const added = alias === null || aliases === null
      ? [{ forwardPath: recipient.text, domain: recipient.domain }]
      : membersInPlace(recipient, { members: aliases.expand(alias), params: {} });
    for (const one of added) {
      recipients.set(one.forwardPath, recipients.get(one.forwardPath) ?? one);
    }
  }
  if (recipients.size === 0) return { kind: "refused", reply: NOBODY };
  return [...recipients.values()];
}

function mailboxOf(text: string, enhanced: "5.1.3" | "5.1.7"): Mailbox | Refused {
  const parsed = parseMailbox(text);
  if (parsed.kind === "ok") return parsed.mailbox;
  const what = enhanced === "5.1.3" ? "recipient" : "sender";
  const reason = reply(501, enhanced, `Bad ${what} address: ${parsed.reason}`);
  return { kind: "refused", reply: reason };
}

function keyOf({ localPart, domain }: Mailbox): string {
  return `${localPart}@${domain}`;
}

function factsOf({ user, clientAddress }: Submitter): SessionFacts {
  return {
    ...{ sessionId: "", listener: HTTP_LISTENER, clientAddress, clientPort: 0 },
    ...{ helo: "", esmtp: true, tls: null, user },
  };
}
