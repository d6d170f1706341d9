import { type Reply, reply } from "../../../mail/reply.ts";
import { withRecipients } from "../checks.ts";
import { ChunkedMessage } from "../chunked_message.ts";
import { transactionOf } from "../state.ts";
import { answer, GONE, type Verb, type VerbResult, type VerbSession } from "../verb.ts";

// Nobody knows where the chunk of a malformed command ends, so no octet after it can be trusted
// to be a command. 521 tells a client that it is not worth trying again (RFC 7504).
const MALFORMED: VerbResult = {
  kind: "end",
  reply: reply(521, "5.5.4", "Syntax: BDAT <octets> [LAST]; closing connection"),
  reason: "protocol",
};

/** One chunk as its command announces it. */
interface Chunk {
  readonly sizeBytes: number;
  readonly last: boolean;
}

/** BDAT (RFC 3030 section 2): takes a chunk of the message, and stores it with the last one. */
export const bdat: Verb = {
  verb: "BDAT",
  syntax: "BDAT <octets> [LAST]",
  about: "Takes a chunk of the message, which follows the command (RFC 3030)",
  access: "authenticated",
  check: withRecipients,
  pipelinable: false,
  run: (_session, args) => takeChunk(args, receiveChunk),
  // The chunk is on its way whatever is wrong with the command, and is taken to stay in step.
  refuse: (args, refusal) => takeChunk(args, (session, chunk) => drain(session, chunk, refusal)),
};

function takeChunk(
  args: string,
  run: (session: VerbSession, chunk: Chunk) => Promise<VerbResult>,
): VerbResult {
  const match = /^(\d{1,15})(?: (LAST))?$/i.exec(args);
  if (match === null) return MALFORMED;
  const chunk = { sizeBytes: Number(match[1]), last: match[2] !== undefined };
  return { kind: "takeover", reply: null, run: (session) => run(session, chunk) };
}

async function receiveChunk(session: VerbSession, { sizeBytes, last }: Chunk): Promise<VerbResult> {
  const { message } = transactionOf(session.state);
  const chunked = message instanceof ChunkedMessage ? message : new ChunkedMessage(session);
  await chunked.expect(sizeBytes);
  const isWhole = await eachPiece(session, sizeBytes, (piece) => chunked.takePiece(piece));
  if (!isWhole) return GONE;
  if (last || chunked.refusal !== null) return await chunked.end();
  return answer(reply(250, "2.0.0", `${sizeBytes} octets received`));
}

async function drain(
  session: VerbSession,
  { sizeBytes }: Chunk,
  refusal: Reply,
): Promise<VerbResult> {
  const isWhole = await eachPiece(session, sizeBytes, () => null);
  return isWhole ? answer(refusal) : GONE;
}

/** Takes the octets of a chunk out of the input; false when the session ended within it. */
async function eachPiece(
  { channel, context }: VerbSession,
  sizeBytes: number,
  take: (piece: Uint8Array) => Promise<void> | null,
): Promise<boolean> {
  const { input } = channel;
  if (sizeBytes > input.length) input.expectMuch();
  for (let leftBytes = sizeBytes; leftBytes > 0;) {
    if (input.length === 0 && !await channel.fill(context.limits.dataTimeoutMs)) return false;
    const piece = input.peek().subarray(0, leftBytes);
    const pending = take(piece);
    if (pending !== null) await pending;
    input.consume(piece.length);
    leftBytes -= piece.length;
  }
  return true;
}
