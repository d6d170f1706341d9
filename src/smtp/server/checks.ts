import type { Reply } from "../../mail/reply.ts";
import { REPLIES } from "./replies.ts";
import type { SessionState } from "./state.ts";

/** For commands that need HELO or EHLO before (RFC 5321 4.1.4). */
export function afterGreeting(state: SessionState): Reply | null {
  return state.kind === "start" ? REPLIES.sayHelloFirst : null;
}

/** For commands within a mail transaction (RFC 5321 3.3). */
export function withinTransaction(state: SessionState): Reply | null {
  return state.kind === "transaction" ? null : afterGreeting(state) ?? REPLIES.needMail;
}
