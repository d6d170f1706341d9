import { AUTH_REPLIES } from "../../auth/replies.ts";
import type { Reply } from "../../mail/reply.ts";
import { REPLIES } from "./replies.ts";
import type { Verb, VerbSession } from "./verb.ts";

/** The refusal of a command that the session may not give, or may not give yet. */
export function refusalOf(verb: Verb, session: VerbSession): Reply | null {
  const { state, context, tls, user } = session;
  if (state.kind === "rejected" && verb.verb !== "QUIT") return REPLIES.connectionRefused;
  if (verb.access !== "open") {
    if (context.tls.mode === "required" && tls === null) return REPLIES.needsTls;
    if (verb.access === "authenticated" && context.auth?.required && user === null) {
      return AUTH_REPLIES.required; // RFC 4954 section 6
    }
  }
  return verb.check(state);
}
