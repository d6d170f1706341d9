import { authAvailability } from "../../../auth/availability.ts";
import { parseMailbox } from "../../../mail/address.ts";
import { reply } from "../../../mail/reply.ts";
import { decodeXtext } from "../../../mail/xtext.ts";
import { isXtext } from "../../wire/xtext.ts";
import { authFacts } from "../auth_facts.ts";
import type { Extension, ParamHandler } from "../extension.ts";
import type { MailParams } from "../state.ts";
import type { VerbSession } from "../verb.ts";
import { authVerb } from "../verbs/auth.ts";

const BAD_SUBMITTER = reply(501, "5.5.4", "AUTH is a mailbox in xtext or <>");
const UNKNOWN_SUBMITTER = "<>";

/** AUTH (RFC 4954). */
export const auth: Extension = {
  name: "AUTH",
  available: (services) => services.auth !== null && services.auth.mode !== "never",
  ehloLine: (session) => {
    const mechanisms = offeredMechanisms(session);
    return mechanisms.length === 0 ? null : `AUTH ${mechanisms.join(" ")}`;
  },
  extraLineBytes: { MAIL: 500 }, // RFC 4954 section 3 (6)
  mailParams: { AUTH: readSubmitter },
  verbs: [authVerb],
};

function offeredMechanisms(session: VerbSession): readonly string[] {
  const { context: { auth }, tls, authenticated } = session;
  if (auth === null || authenticated) return [];
  if (authAvailability(auth.mode, { tls: tls !== null }) !== "offered") return [];
  return auth.authenticator.mechanisms(authFacts(session));
}

/** RFC 4954 section 5: who first submitted the message, which only a trusted client may tell. */
function readSubmitter(
  { params, value, session }: Parameters<ParamHandler<MailParams>>[0],
): ReturnType<ParamHandler<MailParams>> {
  if (value === null || !isXtext(value)) return BAD_SUBMITTER;
  const submitter = decodeXtext(value);
  if (submitter !== UNKNOWN_SUBMITTER && parseMailbox(submitter).kind === "error") {
    return BAD_SUBMITTER;
  }
  const isTrusted = session.context.policy.trusts(session);
  params.extras.submitter = isTrusted ? submitter : UNKNOWN_SUBMITTER;
  return null;
}
