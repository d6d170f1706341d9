import { isAsciiText } from "../../../mail/address.ts";
import { reply } from "../../../mail/reply.ts";
import type { Path } from "../../wire/path.ts";
import { applyParams } from "../apply_params.ts";
import { afterGreeting } from "../checks.ts";
import { whenDecided } from "../decide.ts";
import { messageLimit } from "../message_limit.ts";
import { readPath } from "../read_path.ts";
import { greetingOf, type MailParams, type Transaction } from "../state.ts";
import { answer, type Verb, type VerbResult, type VerbSession } from "../verb.ts";

const OK = answer(reply(250, "2.1.0", "Sender ok"));
const NESTED = reply(503, "5.5.1", "Sender already given");
const NO_DOMAIN = answer(reply(501, "5.1.7", "Bad sender address: expected @"));
const NEEDS_UTF8 = answer(reply(553, "5.6.7", "Sender address needs SMTPUTF8")); // RFC 6531 3.5

/** MAIL (RFC 5321 4.1.1.2): opens a transaction. */
export const mail: Verb = {
  verb: "MAIL",
  syntax: "MAIL FROM:<reverse-path> [parameters]",
  about: "Begins a message and sets where failures are reported (RFC 5321 4.1.1.2)",
  access: "authenticated",
  check: (state) => afterGreeting(state) ?? (state.kind === "transaction" ? NESTED : null),
  pipelinable: true,
  run: (session, args) => {
    const scanned = readPath(session, { args, keyword: "FROM" });
    if (scanned.kind === "error") {
      return answer(reply(501, "5.1.7", `Bad sender address: ${scanned.reason}`));
    }
    const params: MailParams = { body: "7BIT", smtpUtf8: false, extras: {} };
    const handlers = session.context.offer.mailParams;
    const refusal = applyParams(args.slice(scanned.end), { params, handlers, session });
    return refusal === null ? openTransaction(session, scanned.path, params) : answer(refusal);
  },
};

function openTransaction(
  session: VerbSession,
  path: Path,
  params: MailParams,
): VerbResult | Promise<VerbResult> {
  if (path.kind === "postmaster") return NO_DOMAIN;
  const sender = path.kind === "null" ? null : path.mailbox;
  const reversePath = sender?.text ?? "";
  if (!params.smtpUtf8 && !isAsciiText(reversePath)) return NEEDS_UTF8;
  return whenDecided(session.context.policy.mail(session, { sender }), (decision) => {
    if (decision.kind === "refuse") return answer(decision.reply, decision.cause);
    const excess = session.tally.countTransaction(session.context.limits);
    if (excess !== null) return { kind: "end", ...excess };
    const greeting = greetingOf(session.state);
    const transaction: Transaction = {
      reversePath,
      params,
      maxBytes: messageLimit(session),
      recipients: [],
      expanded: [],
      acceptedRecipients: 0,
      refusedRecipients: 0,
      isFull: false,
      message: null,
    };
    session.state = { kind: "transaction", greeting, transaction };
    return params.note === undefined ? OK : answer(params.note);
  });
}
