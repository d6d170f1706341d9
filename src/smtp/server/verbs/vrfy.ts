import { reply } from "../../../mail/reply.ts";
import type { AliasMap } from "../../../policy/aliases.ts";
import { isShowable, type Lookup, readLookup } from "../lookup.ts";
import { always, answer, type Verb, type VerbResult, type VerbSession } from "../verb.ts";

// RFC 5321 3.5.3: a relay cannot know; 250 would be a lie and 550 would be another.
const CANNOT_TELL = answer(reply(252, "2.0.0", "Cannot verify, but will try to deliver"));
const NEEDS_ARGUMENT = answer(reply(501, "5.5.4", "Syntax: VRFY and a user or mailbox"));
const NEEDS_UTF8 = answer(reply(252, "2.6.7", "The mailbox is outside ASCII; ask with SMTPUTF8"));

/** VRFY (RFC 5321 4.1.1.6): looks a mailbox up in the aliases, which are all a relay knows. */
export const vrfy: Verb = {
  verb: "VRFY",
  syntax: "VRFY <user or mailbox> [SMTPUTF8]",
  about: "Shows whether a mailbox is known (RFC 5321 4.1.1.6)",
  access: "authenticated",
  check: always,
  pipelinable: false,
  run: (session, args) => {
    const asked = readLookup(args, session);
    if (asked === null) return NEEDS_ARGUMENT;
    const { aliases } = session.context;
    return aliases === null || !looksUp(session) ? CANNOT_TELL : lookUp(aliases, asked);
  },
};

function looksUp({ context }: VerbSession): boolean {
  return context.offer.extensions.some(({ name }) => name === "VRFY");
}

function lookUp(aliases: AliasMap, asked: Lookup): VerbResult {
  const found = aliases.find(asked.text);
  if (found.kind === "unknown") return CANNOT_TELL;
  const known = found.kind === "found" ? [found.alias] : found.aliases;
  const mailboxes = known.map(({ mailbox }) => mailbox.text);
  if (!isShowable(mailboxes, asked)) return NEEDS_UTF8;
  if (found.kind === "found") return answer(reply(250, "2.1.5", `<${found.alias.mailbox.text}>`));
  // RFC 5321 3.5.1: the possibilities, of which the client may take one.
  const lines = ["Ambiguous; possibilities are", ...mailboxes.map((mailbox) => `<${mailbox}>`)];
  return answer({ code: 553, enhanced: "5.1.4", lines });
}
