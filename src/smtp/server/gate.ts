import { AUTH_REPLIES } from "../../auth/replies.ts";
import type { Reply } from "../../mail/reply.ts";
import { REPLIES } from "./replies.ts";
import type { Verb, VerbSession } from "./verb.ts";

/** The refusal of a command that the session may not give, or may not give yet. */
export function refusalOf(
  verb: Verb,
  { session, lineBytes }: { session: VerbSession; lineBytes: number },
): Reply | null {
  const { state, context } = session;
  if (lineBytes > context.limits.commandLineBytes && lineBytes > longestLineOf(verb, session)) {
    return REPLIES.lineTooLong;
  }
  if (state.kind === "rejected" && verb.verb !== "QUIT") return REPLIES.connectionRefused;
  if (verb.access !== "open") {
    if (context.tls.mode === "required" && session.tls === null) return REPLIES.needsTls;
    if (verb.access === "authenticated" && context.auth?.required && session.user === null) {
      return AUTH_REPLIES.required; // RFC 4954 section 6
    }
  }
  return verb.check(state);
}

/** In octets with CRLF (RFC 5321 4.5.3.1.4). */
function longestLineOf(verb: Verb, { context: { limits, offer } }: VerbSession): number {
  const extraBytes = offer.extraLineBytes.get(verb.verb) ?? 0;
  return verb.maxLineBytes ?? limits.commandLineBytes + extraBytes;
}
