import { reply } from "../../../mail/reply.ts";
import { withinTransaction } from "../checks.ts";
import { receiveMessage } from "../receive_message.ts";
import { REPLIES } from "../replies.ts";
import type { SessionState } from "../state.ts";
import { answer, type Verb } from "../verb.ts";

const GO_AHEAD = reply(354, null, "End data with <CR><LF>.<CR><LF>");
const NEED_RCPT = reply(503, "5.5.1", "Need RCPT first");
const NO_RECIPIENTS = reply(554, "5.5.1", "No valid recipients"); // RFC 5321 3.3

/** DATA (RFC 5321 4.1.1.4): takes the message. */
export const data: Verb = {
  verb: "DATA",
  syntax: "DATA",
  check: (state) => withinTransaction(state) ?? needsRecipients(state),
  pipelinable: false,
  run: (_session, args) =>
    args === ""
      ? { kind: "takeover", reply: GO_AHEAD, run: receiveMessage }
      : answer(REPLIES.noArguments),
};

function needsRecipients(state: SessionState) {
  if (state.kind !== "transaction" || state.transaction.recipients.length > 0) return null;
  return state.transaction.refusedRecipients > 0 ? NO_RECIPIENTS : NEED_RCPT;
}
