import { type Reply, reply } from "../../mail/reply.ts";
import { REPLIES } from "./replies.ts";
import type { SessionState } from "./state.ts";

const NEED_RCPT = reply(503, "5.5.1", "Need RCPT first");
const NO_RECIPIENTS = reply(554, "5.5.1", "No valid recipients"); // RFC 5321 3.3

/** For commands that need HELO or EHLO before (RFC 5321 4.1.4). */
export function afterGreeting(state: SessionState): Reply | null {
  return state.kind === "start" ? REPLIES.sayHelloFirst : null;
}

/** For commands within a mail transaction (RFC 5321 3.3). */
export function withinTransaction(state: SessionState): Reply | null {
  return state.kind === "transaction" ? null : afterGreeting(state) ?? REPLIES.needMail;
}

/** For commands that bring the message (RFC 5321 4.1.1.4, RFC 3030 section 2). */
export function withRecipients(state: SessionState): Reply | null {
  const refusal = withinTransaction(state);
  if (refusal !== null || state.kind !== "transaction") return refusal;
  const { acceptedRecipients, refusedRecipients } = state.transaction;
  if (acceptedRecipients > 0) return null;
  return refusedRecipients > 0 ? NO_RECIPIENTS : NEED_RCPT;
}
