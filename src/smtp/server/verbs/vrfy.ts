import { reply } from "../../../mail/reply.ts";
import { always, answer, type Verb } from "../verb.ts";

// RFC 5321 3.5.3: a relay cannot know; 250 would be a lie and 550 would be another.
const CANNOT_TELL = answer(reply(252, "2.0.0", "Cannot verify, but will try to deliver"));
const NEEDS_ARGUMENT = answer(reply(501, "5.5.4", "Syntax: VRFY and a user or mailbox"));

/** VRFY (RFC 5321 4.1.1.6). */
export const vrfy: Verb = {
  verb: "VRFY",
  syntax: "VRFY <string>",
  about: "Tells whether a mailbox is known (RFC 5321 4.1.1.6)",
  access: "authenticated",
  check: always,
  pipelinable: false,
  run: (_session, args) => args === "" ? NEEDS_ARGUMENT : CANNOT_TELL,
};
