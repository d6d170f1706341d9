import { type Reply, reply } from "../../../mail/reply.ts";
import { isShowable, readLookup } from "../lookup.ts";
import { REPLIES } from "../replies.ts";
import { always, answer, type Verb } from "../verb.ts";

const SYNTAX = answer(reply(501, "5.5.4", "Syntax: EXPN and a list"));
const NO_LIST = answer(reply(550, "5.1.1", "No such list"));
const AMBIGUOUS = answer(reply(553, "5.1.4", "List ambiguous, add its domain"));
const NEEDS_UTF8 = answer(reply(553, "5.6.7", "A member is outside ASCII; ask with SMTPUTF8"));
// RFC 5321 7.3: lists of members are wanted by those who send what nobody wants.
const NOT_ALLOWED = answer(reply(550, "5.7.1", "Not allowed for this client"));

/** EXPN (RFC 5321 4.1.1.7): tells the members of an alias to trusted clients. */
export const expn: Verb = {
  verb: "EXPN",
  syntax: "EXPN <list> [SMTPUTF8]",
  about: "Lists the members of a list (RFC 5321 4.1.1.7)",
  access: "authenticated",
  check: always,
  pipelinable: false,
  run: (session, args) => {
    const { aliases, policy } = session.context;
    const asked = readLookup(args, session);
    if (asked === null) return SYNTAX;
    if (aliases === null) return answer(REPLIES.notImplemented);
    if (!policy.trusts(session)) return NOT_ALLOWED;
    const found = aliases.find(asked.text);
    if (found.kind === "unknown") return NO_LIST;
    if (found.kind === "ambiguous") return AMBIGUOUS;
    const members = found.alias.members.map(({ text }) => text);
    return isShowable(members, asked) ? answer(listReply(members)) : NEEDS_UTF8;
  },
};

function listReply(members: readonly string[]): Reply {
  return { code: 250, enhanced: "2.1.5", lines: members.map((member) => `<${member}>`) };
}
