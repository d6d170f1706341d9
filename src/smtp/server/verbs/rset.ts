import { reply } from "../../../mail/reply.ts";
import { REPLIES } from "../replies.ts";
import { withoutTransaction } from "../state.ts";
import { always, answer, type Verb } from "../verb.ts";

const OK = answer(reply(250, "2.0.0", "Reset ok"));

/** RSET (RFC 5321 4.1.1.5): forgets the transaction. */
export const rset: Verb = {
  verb: "RSET",
  syntax: "RSET",
  about: "Forgets the message that was begun (RFC 5321 4.1.1.5)",
  access: "secured",
  check: always,
  pipelinable: true,
  run: (session, args) => {
    if (args !== "") return answer(REPLIES.noArguments);
    session.state = withoutTransaction(session.state);
    return OK;
  },
};
