import { concatBytes, encodeText } from "../../base/bytes.ts";
import type { Reply } from "../../mail/reply.ts";
import type { Capabilities } from "./capabilities.ts";
import { mailCommand, rcptCommand } from "./commands.ts";
import { ConnectionLost } from "./connection_lost.ts";
import {
  chunkCommand,
  inOneWrite,
  type MailData,
  sendMailChunk,
  sendMailData,
} from "./mail_data.ts";
import type { ReplyChannel } from "./reply_channel.ts";
import { isIntermediate, isPositive, SERVICE_CLOSING } from "./reply_class.ts";
import type { Stage } from "./stage.ts";

/** SMTP answers a message once, LMTP once for each recipient it took (RFC 2033 section 4.2). */
export type ClientProtocol = "smtp" | "lmtp";

/** One mail transaction (RFC 5321 3.3). Paths and parameters must not contain CR or LF. */
export interface TransactionRequest {
  /** Without angle brackets; empty for the null reverse-path. */
  readonly reversePath: string;
  /** Parameters of MAIL that the server offers, as `SIZE=42`. */
  readonly mailParameters: readonly string[];
  /** At least one. */
  readonly recipients: readonly RequestRecipient[];
  readonly data: MailData;
}

/** A recipient of a transaction. */
export interface RequestRecipient {
  readonly forwardPath: string;
  /** Parameters of RCPT that the server offers. */
  readonly parameters: readonly string[];
}

/** The result of one recipient. */
export type RecipientResult =
  /** The reply that decided: that of the first command that was refused, else the last one. */
  | { readonly kind: "reply"; readonly stage: Stage; readonly reply: Reply }
  /** The connection ended before the message was complete: it was not taken. */
  | { readonly kind: "lost"; readonly lost: ConnectionLost }
  /** The connection ended between the end of the message and its reply: it may have been taken. */
  | { readonly kind: "uncertain"; readonly lost: ConnectionLost };

/** The result of a transaction. */
export interface TransactionResult {
  /** One for each recipient, in order. */
  readonly recipients: readonly RecipientResult[];
  /** Whether the server answered MAIL with anything but a farewell (421). */
  readonly begun: boolean;
  /** Whether the server forgot it, so that the next MAIL needs no RSET. */
  readonly finished: boolean;
}

/** The dialogue of one transaction. Made for one run. */
export class Transaction {
  readonly #channel: ReplyChannel;
  readonly #pipelining: boolean;
  /** The message goes by BDAT instead of DATA. */
  readonly #chunking: boolean;
  /** The octets, where they go with the commands before them in one write. */
  readonly #withGroup: Uint8Array | null;
  readonly #protocol: ClientProtocol;
  readonly #request: TransactionRequest;
  readonly #results: (RecipientResult | null)[];
  #begun = false;
  #finished = false;

  constructor(
    channel: ReplyChannel,
    { capabilities, protocol, request }: {
      capabilities: Capabilities;
      protocol: ClientProtocol;
      request: TransactionRequest;
    },
  ) {
    this.#channel = channel;
    this.#pipelining = capabilities.pipelining;
    this.#chunking = capabilities.chunking && request.data.sizeBytes !== null;
    this.#withGroup = this.#chunking && this.#pipelining ? inOneWrite(request.data) : null;
    this.#protocol = protocol;
    this.#request = request;
    this.#results = request.recipients.map(() => null);
  }

  /**
   * Runs it, after RSET when `reset` asks for one.
   *
   * @throws what the stream of the message throws; the connection is closed then.
   */
  async run({ reset }: { reset: boolean }): Promise<TransactionResult> {
    if (this.#pipelining) this.#sendGroup(reset);
    if (!reset || await this.#reset()) await this.#converse();
    const recipients = this.#results.filter((result) => result !== null);
    if (recipients.length < this.#results.length) {
      throw new Error("Cannot end: recipients are open");
    }
    return { recipients, begun: this.#begun, finished: this.#finished };
  }

  /**
   * All commands up to DATA in one write (RFC 2920 section 3.1), or up to the end of a message
   * that goes by BDAT, which saves the wait for a go-ahead (RFC 3030 section 4.2).
   */
  #sendGroup(reset: boolean): void {
    const { reversePath, mailParameters, recipients } = this.#request;
    let group = (reset ? "RSET\r\n" : "") + mailCommand(reversePath, mailParameters);
    for (const { forwardPath, parameters } of recipients) {
      group += rcptCommand(forwardPath, parameters);
    }
    const octets = this.#withGroup;
    if (octets !== null) {
      const commands = group + chunkCommand(octets.length);
      const all = concatBytes([encodeText(commands), octets]);
      this.#channel.send(all, { completes: true, shown: commands });
    } else this.#channel.send(this.#chunking ? group : `${group}DATA\r\n`);
  }

  async #converse(): Promise<void> {
    if (!(await this.#mail())) return;
    for (let index = 0; index < this.#results.length; index++) {
      if (!(await this.#rcpt(index))) return;
    }
    if (this.#withGroup !== null) return await this.#readChunkReplies();
    // In a group DATA is on its way already and its reply must be read.
    const isAsked = this.#pipelining && !this.#chunking;
    if (!isAsked && !this.#hasOpen()) return;
    if (!this.#chunking && !(await this.#data())) return;
    if (this.#hasOpen()) await this.#transfer();
    else await this.#sendNothing();
  }

  /** A chunk without a valid recipient is refused once and leaves the transaction as it is. */
  async #readChunkReplies(): Promise<void> {
    if (this.#hasOpen()) await this.#readFinalReplies();
    else await this.#channel.reply("dot");
  }

  /** RSET in front of the transaction. A server that refuses it cannot be told where it stands. */
  async #reset(): Promise<boolean> {
    const reply = await this.#ask("rset", () => "RSET\r\n");
    if (reply !== null && !isPositive(reply)) this.#endOutOfStep("rset", reply);
    return reply !== null && isPositive(reply);
  }

  async #mail(): Promise<boolean> {
    const { reversePath, mailParameters } = this.#request;
    const reply = await this.#ask("mail", () => mailCommand(reversePath, mailParameters));
    if (reply === null) return false;
    this.#begun = true;
    if (isPositive(reply)) return true;
    this.#settleOpen({ kind: "reply", stage: "mail", reply });
    return this.#pipelining;
  }

  async #rcpt(index: number): Promise<boolean> {
    const recipient = this.#request.recipients[index] as RequestRecipient;
    const reply = await this.#ask(
      "rcpt",
      () => rcptCommand(recipient.forwardPath, recipient.parameters),
    );
    if (reply === null) return false;
    if (!isPositive(reply)) this.#results[index] ??= { kind: "reply", stage: "rcpt", reply };
    return true;
  }

  async #data(): Promise<boolean> {
    const reply = await this.#ask("data", () => "DATA\r\n");
    if (reply === null) return false;
    if (reply.code < 400) return true;
    this.#settleOpen({ kind: "reply", stage: "data", reply });
    return false;
  }

  /** Ends the data of a transaction that has no valid recipient (RFC 2920 section 3.1). */
  async #sendNothing(): Promise<void> {
    this.#channel.send(".\r\n");
    const answer = await this.#channel.reply("dot");
    this.#finished = !(answer instanceof ConnectionLost);
  }

  async #transfer(): Promise<void> {
    let complete = false;
    try {
      const { data } = this.#request;
      const { sizeBytes } = data;
      complete = this.#chunking && sizeBytes !== null
        ? await sendMailChunk(this.#channel, { ...data, sizeBytes })
        : await sendMailData(this.#channel, data);
    } catch (error) {
      this.#channel.close();
      throw error;
    }
    if (complete) await this.#readFinalReplies();
    else await this.#readEarlyReply();
  }

  /** A server that refuses a message before its end may tell why before it closes. */
  async #readEarlyReply(): Promise<void> {
    const answer = await this.#channel.reply("body");
    if (answer instanceof ConnectionLost) this.#settleOpen({ kind: "lost", lost: answer });
    else if (answer.code >= 400) this.#endWith({ kind: "reply", stage: "body", reply: answer });
    else this.#endOutOfStep("body", answer);
  }

  async #readFinalReplies(): Promise<void> {
    let isTaken = true;
    for (const [index, result] of this.#results.entries()) {
      if (result !== null) continue;
      const answer = await this.#finalReply();
      if (answer instanceof ConnectionLost) return this.#settleUncertain(answer);
      const final: RecipientResult = { kind: "reply", stage: "dot", reply: answer };
      isTaken &&= isPositive(answer);
      if (answer.code === SERVICE_CLOSING) return this.#endWith(final);
      if (this.#protocol === "smtp") this.#settleOpen(final);
      else this.#results[index] = final;
      if (this.#protocol === "smtp") break;
    }
    // RFC 3030 section 2: what a refused chunk leaves behind is not known.
    this.#finished = isTaken || !this.#chunking;
  }

  /** Some servers say 354 once more before it; two of them are out of step. */
  async #finalReply(): Promise<Reply | ConnectionLost> {
    const first = await this.#channel.reply("dot");
    if (first instanceof ConnectionLost || !isIntermediate(first)) return first;
    const answer = await this.#channel.reply("dot");
    if (answer instanceof ConnectionLost || !isIntermediate(answer)) return answer;
    return this.#channel.outOfStep("dot", answer);
  }

  /**
   * The reply to a command, sent now unless it went with the group. Null when the dialogue has
   * ended, every open recipient being settled then.
   */
  async #ask(stage: Stage, command: () => string): Promise<Reply | null> {
    if (!this.#pipelining) this.#channel.send(command());
    const answer = await this.#channel.reply(stage);
    if (answer instanceof ConnectionLost) {
      // A message that went with the commands may be taken, whatever was answered so far.
      this.#settleOpen({ kind: this.#withGroup === null ? "lost" : "uncertain", lost: answer });
      return null;
    }
    if (answer.code === SERVICE_CLOSING) {
      this.#endWith({ kind: "reply", stage, reply: answer });
      return null;
    }
    if (isPositive(answer) ? stage === "data" : isIntermediate(answer) && stage !== "data") {
      this.#endOutOfStep(stage, answer);
      return null;
    }
    return answer;
  }

  #endOutOfStep(stage: Stage, reply: Reply): void {
    const kind = this.#withGroup === null ? "lost" : "uncertain";
    this.#settleOpen({ kind, lost: this.#channel.outOfStep(stage, reply) });
  }

  #endWith(result: RecipientResult): void {
    this.#channel.close();
    this.#settleOpen(result);
  }

  #settleUncertain(lost: ConnectionLost): void {
    this.#settleOpen({ kind: "uncertain", lost });
  }

  #settleOpen(result: RecipientResult): void {
    for (let index = 0; index < this.#results.length; index++) this.#results[index] ??= result;
  }

  #hasOpen(): boolean {
    return this.#results.includes(null);
  }
}
