import { encodeText } from "../../base/bytes.ts";
import type { Envelope, Origin } from "../../mail/envelope.ts";
import { formatReceived } from "../../mail/received.ts";
import { formatReply } from "../../mail/reply.ts";
import { type MessageOutcome, MessageReceiver } from "./message_receiver.ts";
import { originOf } from "./origin.ts";
import type { MessageWriter } from "./sink.ts";
import { type Transaction, transactionOf, withoutTransaction } from "./state.ts";
import type { VerbResult, VerbSession } from "./verb.ts";

/**
 * Takes the message of the transaction from the input to the end of its data, and stores it. The
 * transaction is over then, whatever came of it (RFC 5321 4.1.1.4).
 */
export async function receiveMessage(session: VerbSession): Promise<VerbResult> {
  const { context, input } = session;
  const transaction = transactionOf(session.state);
  const origin = originOf(session, transaction.params);
  const writer = beginMessage(session, { transaction, origin });
  const receiver = new MessageReceiver(writer, context.limits);
  input.expectMuch();
  while (!receiver.done) {
    if (input.length === 0 && !await session.fill(context.limits.dataTimeoutMs)) {
      await receiver.abandon();
      return { kind: "gone" };
    }
    const pending = receiver.take(input);
    if (pending !== null) await pending;
  }
  session.state = withoutTransaction(session.state);
  const outcome = await receiver.finish();
  tellOutcome(session, { transaction, origin, outcome, messageId: writer.id });
  return { kind: "verdict", reply: outcome.reply };
}

function beginMessage(
  { context }: VerbSession,
  { transaction, origin }: { transaction: Transaction; origin: Origin },
): MessageWriter {
  const { reversePath, params, recipients } = transaction;
  const envelope: Envelope = {
    reversePath,
    body: params.body,
    smtpUtf8: params.smtpUtf8,
    ...(Object.keys(params.extras).length === 0 ? {} : { extras: params.extras }),
    recipients,
  };
  const only = recipients.length === 1 ? recipients[0]?.forwardPath : undefined;
  const trace = {
    origin,
    by: context.hostname,
    atMs: context.clock.now(),
    ...(only === undefined ? {} : { forwardPath: only }),
  };
  const head = (id: string) => encodeText(formatReceived({ ...trace, id })); // RFC 5321 4.4
  return context.sink.begin({ envelope, origin, head });
}

function tellOutcome(
  { sessionId, context }: VerbSession,
  { transaction, origin, outcome, messageId }: {
    transaction: Transaction;
    origin: Origin;
    outcome: MessageOutcome;
    messageId: string;
  },
): void {
  const { reversePath, recipients } = transaction;
  const { listener, clientAddress } = origin;
  const about = { messageId, listener, clientAddress, reversePath };
  if (outcome.accepted) {
    const { sizeBytes } = outcome;
    const told = { sessionId, recipients: recipients.length, sizeBytes };
    context.events({ type: "accepted", ...about, ...told });
  } else {
    const cause = outcome.cause === undefined ? {} : { cause: outcome.cause };
    context.events({ type: "refused", ...about, reply: formatReply(outcome.reply), ...cause });
  }
}
