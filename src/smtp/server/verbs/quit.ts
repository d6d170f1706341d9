import { reply } from "../../../mail/reply.ts";
import { REPLIES } from "../replies.ts";
import { always, answer, type Verb } from "../verb.ts";

const BYE = reply(221, "2.0.0", "Closing connection");

/** QUIT (RFC 5321 4.1.1.10): answered before the connection is closed. */
export const quit: Verb = {
  verb: "QUIT",
  syntax: "QUIT",
  about: "Ends the session (RFC 5321 4.1.1.10)",
  access: "open",
  check: always,
  pipelinable: false,
  run: (_session, args) =>
    args === "" ? { kind: "end", reply: BYE, reason: "quit" } : answer(REPLIES.noArguments),
};
