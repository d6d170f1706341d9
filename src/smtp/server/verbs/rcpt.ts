import { isAsciiText, type Mailbox } from "../../../mail/address.ts";
import { RECIPIENT_LIMIT } from "../../../mail/envelope.ts";
import { reply } from "../../../mail/reply.ts";
import { ACCEPT, type Decision } from "../../../policy/decision.ts";
import type { Path } from "../../wire/path.ts";
import { addMembers, addRecipient } from "../add_recipient.ts";
import { applyParams } from "../apply_params.ts";
import { withinTransaction } from "../checks.ts";
import { whenDecided } from "../decide.ts";
import { readPath } from "../read_path.ts";
import { type RcptParams, type Transaction, transactionOf } from "../state.ts";
import { answer, type Verb, type VerbResult, type VerbSession } from "../verb.ts";

const OK = answer(reply(250, "2.1.5", "Recipient ok"));
const TOO_MANY_REPLY = reply(452, "4.5.3", "Too many recipients"); // RFC 5321 4.5.3.1.10
const TOO_MANY: VerbResult = { kind: "reply", reply: TOO_MANY_REPLY, limit: "reached" };
const TOO_MANY_AGAIN: VerbResult = { kind: "reply", reply: TOO_MANY_REPLY, limit: "known" };
const AFTER_CHUNKS = answer(reply(503, "5.5.1", "The message has begun with BDAT"));
const NULL_PATH = answer(reply(501, "5.1.3", "Bad recipient address: the path is empty"));
const NEEDS_UTF8 = answer(reply(553, "5.6.7", "Recipient address needs SMTPUTF8"));

/** RCPT (RFC 5321 4.1.1.3): adds a recipient to the transaction. */
export const rcpt: Verb = {
  verb: "RCPT",
  syntax: "RCPT TO:<forward-path> [parameters]",
  about: "Adds a recipient to the message (RFC 5321 4.1.1.3)",
  access: "authenticated",
  check: withinTransaction,
  pipelinable: true,
  run: (session, args) => {
    const transaction = transactionOf(session.state);
    const result = judge(session, transaction, args);
    return result instanceof Promise
      ? result.then((settled) => counted(settled, transaction))
      : counted(result, transaction);
  },
};

function judge(
  session: VerbSession,
  transaction: Transaction,
  args: string,
): VerbResult | Promise<VerbResult> {
  if (transaction.message !== null) return AFTER_CHUNKS;
  if (transaction.acceptedRecipients >= session.context.limits.recipients) {
    return tooMany(transaction);
  }
  const scanned = readPath(session, { args, keyword: "TO" });
  if (scanned.kind === "error") {
    return answer(reply(501, "5.1.3", `Bad recipient address: ${scanned.reason}`));
  }
  const params: RcptParams = {};
  const handlers = session.context.offer.rcptParams;
  const refusal = applyParams(args.slice(scanned.end), { params, handlers, session });
  if (refusal !== null) return answer(refusal);
  const recipient = mailboxOf(scanned.path, session);
  if (recipient === null) return NULL_PATH;
  const members = membersOf(recipient, session);
  const mailboxes = members ?? [recipient];
  if (transaction.recipients.length + mailboxes.length > RECIPIENT_LIMIT) {
    return tooMany(transaction);
  }
  const { smtpUtf8 } = transaction.params;
  if (!smtpUtf8 && !mailboxes.every(({ text }) => isAsciiText(text))) return NEEDS_UTF8;
  const request = { path: scanned.path, alias: members !== null };
  return whenDecided(decide(session, transaction, request), (decision) => {
    if (decision.kind === "refuse") return answer(decision.reply, decision.cause);
    if (members === null) addRecipient(transaction, { mailbox: recipient, params });
    else addMembers(transaction, { alias: recipient, members, params });
    return OK;
  });
}

function tooMany(transaction: Transaction): VerbResult {
  const isKnown = transaction.isFull;
  transaction.isFull = true;
  return isKnown ? TOO_MANY_AGAIN : TOO_MANY;
}

function decide(
  session: VerbSession,
  { reversePath }: Transaction,
  { path, alias }: { path: Path; alias: boolean },
): Decision | Promise<Decision> {
  if (path.kind !== "mailbox") return ACCEPT; // Postmaster is always reached, RFC 5321 4.5.1
  return session.context.policy.rcpt(session, {
    recipient: path.mailbox,
    routed: path.routed,
    reversePath,
    alias,
  });
}

/** The mailbox that mail goes to; null for the null path, which receives nothing. */
function mailboxOf(path: Path, { context }: VerbSession): Mailbox | null {
  if (path.kind === "null") return null;
  if (path.kind === "mailbox") return path.mailbox;
  const domain = context.hostname;
  return { localPart: path.text, domain, text: `${path.text}@${domain}` };
}

/** Whom an alias stands for; null where the mailbox is none. */
function membersOf(mailbox: Mailbox, { context: { aliases } }: VerbSession): Mailbox[] | null {
  const alias = aliases?.get(mailbox) ?? null;
  return alias === null || aliases === null ? null : aliases.expand(alias);
}

/**
 * Keeps count of refusals, which DATA has to tell apart from no RCPT at all. One for now, after
 * others were taken, is a limit of ours that a client with a pipelined group could not know of.
 */
function counted(result: VerbResult, transaction: Transaction): VerbResult {
  if (result === OK) transaction.acceptedRecipients++;
  else transaction.refusedRecipients++;
  if (result.kind !== "reply" || result.limit !== undefined) return result;
  const { code } = result.reply;
  const isLimit = code >= 400 && code < 500 && transaction.acceptedRecipients > 0;
  return isLimit ? { ...result, limit: "reached" } : result;
}
