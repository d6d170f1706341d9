import { reply } from "../../../mail/reply.ts";
import { always, answer, type Verb } from "../verb.ts";

const OK = answer(reply(250, "2.0.0", "Noop ok"));

/** NOOP (RFC 5321 4.1.1.9); an argument means nothing. */
export const noop: Verb = {
  verb: "NOOP",
  syntax: "NOOP [string]",
  about: "Does nothing (RFC 5321 4.1.1.9)",
  access: "open",
  check: always,
  pipelinable: false,
  run: () => OK,
};
