import { reply } from "../../../mail/reply.ts";
import { DotDecoder } from "../../wire/dot_decoder.ts";
import { withRecipients } from "../checks.ts";
import { IncomingMessage } from "../incoming_message.ts";
import { REPLIES } from "../replies.ts";
import { transactionOf } from "../state.ts";
import { answer, GONE, type Verb, type VerbResult, type VerbSession } from "../verb.ts";

const GO_AHEAD = reply(354, null, "End data with <CR><LF>.<CR><LF>");
// RFC 3030 sections 2 and 3: no DATA after BDAT, and none for binary messages.
const AFTER_CHUNKS = answer(reply(503, "5.5.1", "The message has begun with BDAT"));
const NEEDS_CHUNKS = answer(reply(503, "5.5.1", "A binary message needs BDAT"));

/** DATA (RFC 5321 4.1.1.4): takes the message. */
export const data: Verb = {
  verb: "DATA",
  syntax: "DATA",
  about: "Takes the message, which ends with a line of one dot (RFC 5321 4.1.1.4)",
  access: "authenticated",
  check: withRecipients,
  pipelinable: false,
  run: ({ state }, args) => {
    if (args !== "") return answer(REPLIES.noArguments);
    const { message, params } = transactionOf(state);
    if (message !== null) return AFTER_CHUNKS;
    if (params.body === "BINARYMIME") return NEEDS_CHUNKS;
    return { kind: "takeover", reply: GO_AHEAD, run: receiveData };
  },
};

/** Takes the message from the input to the end of its data, and stores it. */
async function receiveData(session: VerbSession): Promise<VerbResult> {
  const { channel, context: { limits } } = session;
  const { input } = channel;
  const message = new IncomingMessage(session);
  const decoder = new DotDecoder();
  input.expectMuch();
  for (let done = false; !done;) {
    if (input.length === 0 && !await channel.fill(limits.dataTimeoutMs)) return GONE;
    const decoded = decoder.decode(input.peek());
    input.consume(decoded.consumed);
    done = decoded.done;
    const pending = message.take(decoded.pieces, decoder);
    if (pending !== null) await pending;
  }
  return await message.finish(decoder.facts);
}
