import { isAsciiText, type Mailbox, parseMailbox, withAsciiDomain } from "../mail/address.ts";
import { type Envelope, type Recipient, RECIPIENT_LIMIT } from "../mail/envelope.ts";
import { type Reply, reply } from "../mail/reply.ts";
import { type AliasMap, membersInPlace } from "../policy/aliases.ts";
import type { SenderRules } from "../policy/user_sender.ts";
import type { RecipientRequest, SessionFacts } from "../reception/facts.ts";
import type { ServerPolicy } from "../reception/policy.ts";
import type { RefusedRecipient, SubmittedMessage, Submitter } from "./submission.ts";

/** The name by which rules and routes know this way in. */
export const HTTP_LISTENER = "http";

/** The rules in force. */
export interface JudgeRules {
  readonly policy: ServerPolicy;
  /** Null where there are none. */
  readonly aliases: AliasMap | null;
  /** The most recipients of a message, before aliases are expanded. */
  readonly recipients: number;
  /** How long a message may be held at the most. */
  readonly maxHoldMs: number;
  readonly nowMs: number;
}

/** What MAIL and RCPT would have come to. */
export type Judged =
  | { readonly kind: "accepted"; readonly envelope: Envelope }
  | {
    readonly kind: "refused";
    readonly reply: Reply;
    readonly recipients?: readonly RefusedRecipient[];
  };

type Refused = Extract<Judged, { readonly kind: "refused" }>;

const TOO_MANY = reply(452, "4.5.3", "Too many recipients");
const HELD_TOO_LONG = reply(501, "5.5.4", "The message would be held longer than this server does");
const HOLD_NOT_YOURS = reply(550, "5.7.1", "Holding mail is for those who submit it here");
const NOBODY = reply(554, "5.5.1", "No recipients");

/** Asks the rules about a message's envelope: all recipients or nobody. */
export async function judgeEnvelope(
  { from, to, holdUntilMs, smtpUtf8 = false }: Omit<SubmittedMessage, "message">,
  { by, rules }: { by: Submitter; rules: JudgeRules },
): Promise<Judged> {
  const facts = factsOf(by);
  const sender = from === "" ? null : mailboxOf(from, "5.1.7");
  if (sender !== null && "kind" in sender) return sender;
  const refusal = await judgeSender(sender, { by, rules }) ??
    judgeHold(holdUntilMs, { facts, rules });
  if (refusal !== null) return { kind: "refused", reply: refusal };
  const reversePath = sender === null ? "" : withAsciiDomain(sender);
  const recipients = await judgeRecipients(to, { facts, reversePath, rules });
  if (!Array.isArray(recipients)) return recipients;
  const paths = [reversePath, ...recipients.map(({ forwardPath }) => forwardPath)];
  const envelope: Envelope = {
    ...{ reversePath, body: "8BITMIME", recipients },
    smtpUtf8: smtpUtf8 || !paths.every(isAsciiText),
    ...(holdUntilMs === undefined ? {} : { extras: { holdUntilMs } }),
  };
  return { kind: "accepted", envelope };
}

/** As FUTURERELEASE (RFC 4865 section 3), except that a time that is over means at once. */
function judgeHold(
  untilMs: number | undefined,
  { facts, rules: { policy, maxHoldMs, nowMs } }: { facts: SessionFacts; rules: JudgeRules },
): Reply | null {
  if (untilMs === undefined || untilMs <= nowMs) return null;
  if (!policy.trusts(facts)) return HOLD_NOT_YOURS;
  return untilMs - nowMs > maxHoldMs ? HELD_TOO_LONG : null;
}

async function judgeSender(
  sender: Mailbox | null,
  { by, rules: { policy } }: { by: Submitter; rules: JudgeRules },
): Promise<Reply | null> {
  const decision = await policy.mail(factsOf(by), { sender });
  return decision.kind === "refuse" ? decision.reply : null;
}

/** All or nobody: an answer by HTTP speaks of the whole message, and names whom it is about. */
async function judgeRecipients(
  to: SubmittedMessage["to"],
  { facts, reversePath, rules }: { facts: SessionFacts; reversePath: string; rules: JudgeRules },
): Promise<Recipient[] | Refused> {
  const named = new Set<string>();
  const recipients = new Map<string, Recipient>();
  const refused: RefusedRecipient[] = [];
  for (const text of to) {
    const parsed = mailboxOf(text, "5.1.3");
    if ("kind" in parsed) {
      refused.push({ mailbox: text, reply: parsed.reply });
      continue;
    }
    const key = keyOf(parsed);
    if (named.has(key)) continue;
    if (named.size >= rules.recipients) return { kind: "refused", reply: TOO_MANY };
    named.add(key);
    const request = { recipient: parsed, reversePath };
    const added = await judgeRecipient(request, { facts, rules });
    if (!Array.isArray(added)) refused.push({ mailbox: text, reply: added });
    else {for (const one of added) {
        recipients.set(one.forwardPath, recipients.get(one.forwardPath) ?? one);
      }}
    if (recipients.size > RECIPIENT_LIMIT) return { kind: "refused", reply: TOO_MANY };
  }
  const [first] = refused;
  if (first !== undefined) return { kind: "refused", reply: first.reply, recipients: refused };
  return recipients.size === 0 ? { kind: "refused", reply: NOBODY } : [...recipients.values()];
}

/** The recipient, or those that an alias stands for, or why there are none. */
async function judgeRecipient(
  { recipient, ...request }: Pick<RecipientRequest, "recipient" | "reversePath">,
  { facts, rules: { policy, aliases } }: { facts: SessionFacts; rules: JudgeRules },
): Promise<Recipient[] | Reply> {
  const alias = aliases?.get(recipient) ?? null;
  const decision = await policy.rcpt(facts, {
    ...{ ...request, recipient, routed: false, alias: alias !== null },
  });
  if (decision.kind === "refuse") return decision.reply;
  if (alias === null || aliases === null) {
    return [{ forwardPath: withAsciiDomain(recipient), domain: recipient.domain }];
  }
  return membersInPlace(recipient, { members: aliases.expand(alias), params: {} });
}

function mailboxOf(text: string, enhanced: "5.1.3" | "5.1.7"): Mailbox | Refused {
  const parsed = parseMailbox(text);
  if (parsed.kind === "ok") return parsed.mailbox;
  const what = enhanced === "5.1.3" ? "recipient" : "sender";
  const reason = reply(501, enhanced, `Bad ${what} address: ${parsed.reason}`);
  return { kind: "refused", reply: reason };
}

/** What the submitter may send as. */
function senderRulesOf({ user, senders, senderCheck }: Submitter): SenderRules {
  const rules = { name: user ?? "", senders };
  return senderCheck === undefined ? rules : { ...rules, senderCheck };
}

function keyOf({ localPart, domain }: Mailbox): string {
  return `${localPart}@${domain}`;
}

/** Who hands it in, as a session of SMTP would know it. */
export function factsOf(by: Submitter): SessionFacts {
  const { user, clientAddress } = by;
  return {
    senderRules: senderRulesOf(by),
    ...{ sessionId: "", listener: HTTP_LISTENER, clientAddress, clientPort: 0 },
    ...{ helo: "", esmtp: true, tls: null, user },
  };
}
