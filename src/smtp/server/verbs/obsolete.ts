import { REPLIES } from "../replies.ts";
import { always, answer, type Verb } from "../verb.ts";

const NOT_IMPLEMENTED = answer(REPLIES.notImplemented);

/** A command that is known and not done here (RFC 5321 4.2.4). */
export function notImplemented(verb: string): Verb {
  return {
    verb,
    syntax: "",
    about: "",
    access: "open",
    check: always,
    pipelinable: false,
    run: () => NOT_IMPLEMENTED,
  };
}

/** The commands that RFC 5321 appendix F has retired. */
export const obsolete: readonly Verb[] = ["SEND", "SOML", "SAML", "TURN"].map(notImplemented);
