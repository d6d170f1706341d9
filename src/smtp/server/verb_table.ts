import { REPLIES } from "./replies.ts";
import { always, answer, type Verb } from "./verb.ts";
import { data } from "./verbs/data.ts";
import { ehlo, helo } from "./verbs/helo.ts";
import { mail } from "./verbs/mail.ts";
import { noop } from "./verbs/noop.ts";
import { obsolete } from "./verbs/obsolete.ts";
import { quit } from "./verbs/quit.ts";
import { rcpt } from "./verbs/rcpt.ts";
import { rset } from "./verbs/rset.ts";
import { vrfy } from "./verbs/vrfy.ts";

/** What stands for every command that nobody knows. */
export const UNKNOWN: Verb = {
  verb: "",
  syntax: "",
  about: "",
  access: "open",
  check: always,
  pipelinable: false,
  run: () => answer(REPLIES.unknownCommand),
};

/** The commands of RFC 5321; extensions bring theirs. */
export const BASE_VERBS: readonly Verb[] = [
  helo,
  ehlo,
  mail,
  rcpt,
  data,
  rset,
  noop,
  vrfy,
  quit,
  ...obsolete,
];
