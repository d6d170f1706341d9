import { REPLIES } from "../replies.ts";
import { always, answer, type Verb } from "../verb.ts";

/**
 * Commands that are known and not implemented: EXPN, which a relay without lists has no use for
 * (RFC 5321 3.5.1), and those that RFC 5321 appendix F has retired.
 */
export const obsolete: readonly Verb[] = ["EXPN", "SEND", "SOML", "SAML", "TURN"].map((verb) => ({
  verb,
  syntax: "",
  check: always,
  pipelinable: false,
  run: () => answer(REPLIES.notImplemented),
}));
