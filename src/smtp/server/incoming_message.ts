import { encodeText } from "../../base/bytes.ts";
import type { BodyFacts, Envelope, Origin } from "../../mail/envelope.ts";
import { formatReceived } from "../../mail/received.ts";
import { formatReply, type Reply } from "../../mail/reply.ts";
import { type ContentProgress, type MessageOutcome, MessageReceiver } from "./message_receiver.ts";
import { originOf } from "./origin.ts";
import type { MessageWriter } from "./sink.ts";
import { type Transaction, transactionOf, withoutTransaction } from "./state.ts";
import type { VerbResult, VerbSession } from "./verb.ts";

/**
 * The message of a transaction on its way to the sink, whether DATA or BDAT brings it. It belongs
 * to the transaction: leaving that before the end forgets it.
 */
export class IncomingMessage {
  readonly #session: VerbSession;
  readonly #transaction: Transaction;
  readonly #origin: Origin;
  readonly #messageId: string;
  readonly #receiver: MessageReceiver;

  /** Begins the message of the session's transaction. */
  constructor(session: VerbSession) {
    const transaction = transactionOf(session.state);
    this.#session = session;
    this.#transaction = transaction;
    this.#origin = originOf(session, transaction.params);
    const writer = beginMessage(session, { transaction, origin: this.#origin });
    this.#messageId = writer.id;
    const { limits, policy, hostname } = session.context;
    this.#receiver = new MessageReceiver(writer, {
      maxBytes: transaction.maxBytes,
      judge: (header) => policy.content(session, { header, maxHops: limits.hops, hostname }),
      hidesBcc: policy.hidesBcc(session),
    });
    transaction.message = this;
  }

  /** Why it will not be accepted; null as long as it may be. */
  get refusal(): Reply | null {
    return this.#receiver.refusal;
  }

  /** Takes the next octets; a promise is back-pressure, and they may change only after it. */
  take(pieces: readonly Uint8Array[], progress: ContentProgress): Promise<void> | null {
    return this.#receiver.take(pieces, progress);
  }

  /** Refuses it for a reason of the caller; the first one counts. */
  refuse(reply: Reply): Promise<void> {
    return this.#receiver.refuse(reply);
  }

  /** Forgets it, unless it has ended already. */
  abandon(): Promise<void> {
    return this.#receiver.abandon();
  }

  /**
   * Ends it: stores it, unless it was refused. The transaction is over then, whatever came of it
   * (RFC 5321 4.1.1.4).
   */
  async finish(facts: BodyFacts): Promise<VerbResult> {
    const outcome = await this.#receiver.finish(facts);
    this.#session.state = withoutTransaction(this.#session.state);
    this.#tell(outcome);
    return { kind: "verdict", reply: outcome.reply };
  }

  #tell(outcome: MessageOutcome): void {
    const { sessionId, context } = this.#session;
    const { reversePath, recipients } = this.#transaction;
    const { listener, clientAddress } = this.#origin;
    const about = { messageId: this.#messageId, listener, clientAddress, reversePath };
    if (outcome.accepted) {
      const { sizeBytes } = outcome;
      const told = { sessionId, recipients: recipients.length, sizeBytes };
      context.events({ type: "accepted", ...about, ...told });
    } else {
      const cause = outcome.cause === undefined ? {} : { cause: outcome.cause };
      context.events({ type: "refused", ...about, reply: formatReply(outcome.reply), ...cause });
    }
  }
}

function beginMessage(
  { context }: VerbSession,
  { transaction, origin }: { transaction: Transaction; origin: Origin },
): MessageWriter {
  const { reversePath, params, recipients, expanded } = transaction;
  const envelope: Envelope = {
    reversePath,
    body: params.body,
    smtpUtf8: params.smtpUtf8,
    ...(Object.keys(params.extras).length === 0 ? {} : { extras: params.extras }),
    recipients,
    ...(expanded.length === 0 ? {} : { expanded }),
  };
  const only = transaction.acceptedRecipients === 1 ? recipients[0]?.forwardPath : undefined;
  const trace = {
    origin,
    by: context.hostname,
    atMs: context.clock.now(),
    ...(only === undefined ? {} : { forwardPath: only }),
  };
  const head = (id: string) => encodeText(formatReceived({ ...trace, id })); // RFC 5321 4.4
  return context.sink.begin({ envelope, origin, head });
}
