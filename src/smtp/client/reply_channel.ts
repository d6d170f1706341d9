import { encodeText } from "../../base/bytes.ts";
import type { Deadline, Deadlines } from "../../base/deadlines.ts";
import type { Reply } from "../../mail/reply.ts";
import type { ClientTlsUpgrade, Conn, TlsInfo } from "../../net/conn.ts";
import { ReplyDecoder } from "../wire/reply_decoder.ts";
import { ConnectionLost, type LossCause } from "./connection_lost.ts";
import type { Stage, StageTimeouts } from "./stage.ts";
import type { Transcript } from "./transcript.ts";

const READ_BUFFER_BYTES = 2048;

const LOSS_NOTES: Readonly<Record<LossCause, string>> = {
  closed: "The server closed the connection",
  reset: "The connection broke",
  timeout: "No answer in time, connection closed",
  out_of_step: "Unexpected reply, connection closed",
  tls: "The TLS handshake failed",
  aborted: "Cancelled, connection closed",
};

/** Ends behind which no more of a reply comes. */
const CUT_OFF: ReadonlySet<LossCause> = new Set(["closed", "reset", "timeout"]);

/** What a reply channel needs besides its connection. */
export interface ReplyChannelOptions {
  readonly deadlines: Deadlines;
  readonly timeoutsMs: StageTimeouts;
  /** How long an aborted session still waits for the answer to its final dot. */
  readonly abortGraceMs: number;
}

/**
 * Writes commands and reads replies over one connection, with one decoder and one time limit
 * for its whole life. A loss is told once it happened and to every call after that.
 */
export class ReplyChannel {
  /** Where what is said is recorded; null for nowhere. */
  transcript: Transcript | null = null;
  readonly #decoder = new ReplyDecoder();
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);
  readonly #deadline: Deadline;
  readonly #timeoutsMs: StageTimeouts;
  readonly #abortGraceMs: number;
  #conn: Conn;
  #stage: Stage = "greeting";
  /** Whether all of a message has been sent, and its last answer has not come. */
  #isComplete = false;
  #aborting = false;
  /** A read that began while nothing was asked; null when none is under way. */
  #watching: Promise<void> | null = null;
  #isIdle = false;
  /** The end of the connection, or why `close` was called while something was pending. */
  #lost: ConnectionLost | null = null;

  constructor(conn: Conn, { deadlines, timeoutsMs, abortGraceMs }: ReplyChannelOptions) {
    this.#conn = conn;
    this.#deadline = deadlines.add(() => this.#end(this.#aborting ? "aborted" : "timeout"));
    this.#timeoutsMs = timeoutsMs;
    this.#abortGraceMs = abortGraceMs;
  }

  /** Null while the connection is plain. */
  get tls(): TlsInfo | null {
    return this.#conn.tls;
  }

  /** How the connection ended; null while it is usable. */
  get lost(): ConnectionLost | null {
    return this.#lost;
  }

  /**
   * Notices from now on, until the next command, that the server ends the connection or speaks
   * without being asked, which is how it takes leave (RFC 5321 3.8).
   */
  watch(): void {
    if (this.#lost !== null) return;
    this.#isIdle = true;
    if (this.#decoder.pending) this.#leave();
    else this.#watching ??= this.#fill();
  }

  /**
   * Starts writing commands and does not wait: a failure shows when their replies are read.
   * `completes` tells that a whole message is among them, so that it may be taken from now on;
   * `shown` is what a transcript tells in place of octets, or of commands that are secret.
   */
  send(
    commands: string | Uint8Array,
    { completes = false, shown }: { completes?: boolean; shown?: string } = {},
  ): void {
    if (this.#lost !== null) return;
    this.#isIdle = false;
    const said = shown ?? commands;
    if (typeof said === "string") this.transcript?.said(said);
    this.#isComplete ||= completes;
    const octets = typeof commands === "string" ? encodeText(commands) : commands;
    // A server that closes often sent a reply first, so the reader goes on and finds the end.
    this.#conn.write(octets).catch(() => {});
  }

  /**
   * Writes octets of a message and waits until the runtime took them. False when it did not:
   * then `reply("body")` tells what the server said before it closed, or how it ended.
   */
  async write(octets: Uint8Array): Promise<boolean> {
    if (this.#lost !== null) return false;
    this.#enter("body");
    try {
      await this.#conn.write(octets);
      return this.#lost === null;
    } catch {
      return false;
    }
  }

  /** The reply of `stage`: at once where its octets are here already. */
  reply(stage: Stage): Reply | ConnectionLost | Promise<Reply | ConnectionLost> {
    return this.#lost ?? this.#decode(stage) ?? this.#read(stage);
  }

  /**
   * Ends the session at the next moment at which it is known what became of the message: at
   * once, or, when the final dot was sent, with its answer or after the grace.
   */
  abort(): void {
    this.#aborting = true;
    if (this.#isComplete) this.#deadline.set(this.#abortGraceMs);
    else this.#end("aborted");
  }

  /** Closes the connection. */
  close(): void {
    this.#end("aborted");
  }

  /**
   * Goes on inside TLS. Null when the handshake succeeded; otherwise the connection is closed.
   * Octets that came in plain after the reply to STARTTLS were put there by somebody else
   * (RFC 3207 section 6), so nobody goes on then.
   */
  async upgradeToTls(upgrade: Omit<ClientTlsUpgrade, "timeoutMs">): Promise<ConnectionLost | null> {
    if (this.#lost !== null) return this.#lost;
    if (this.#decoder.pending) return this.outOfStep("starttls", "octets ahead of the handshake");
    this.#stage = "starttls";
    try {
      const timeoutMs = this.#timeoutsMs.starttls;
      const secured = await this.#conn.upgradeToTls({ ...upgrade, timeoutMs });
      if (this.#lost !== null) secured.close();
      else this.#conn = secured;
      this.transcript?.note(`TLS: ${secured.tls?.version} ${secured.tls?.cipher}`);
      return this.#lost;
    } catch (error) {
      return this.#end("tls", error);
    }
  }

  /** Marks the dialogue as out of step and closes the connection. */
  outOfStep(stage: Stage, detail: unknown): ConnectionLost {
    this.#stage = stage;
    return this.#end("out_of_step", detail);
  }

  async #read(stage: Stage): Promise<Reply | ConnectionLost> {
    this.#enter(stage);
    for (;;) {
      await (this.#watching ?? this.#fill());
      const decoded = this.#lost === null ? this.#decode(stage) : this.#lastReply() ?? this.#lost;
      if (decoded !== null) return decoded;
    }
  }

  /** Reads once, or finds the end of the connection. */
  async #fill(): Promise<void> {
    try {
      const lengthBytes = await this.#conn.read(this.#buffer);
      if (this.#lost !== null) return;
      if (lengthBytes === null) return void this.#end("closed");
      this.#decoder.push(this.#buffer.subarray(0, lengthBytes));
      if (this.#isIdle) this.#leave();
    } catch (error) {
      this.#end("reset", error);
    } finally {
      this.#watching = null;
    }
  }

  #leave(): void {
    this.#end("out_of_step", "unexpected octets");
  }

  #decode(stage: Stage): Reply | ConnectionLost | null {
    const decoded = this.#decoder.next();
    if (decoded.kind === "incomplete") return null;
    if (decoded.kind === "error") return this.outOfStep(stage, decoded.line);
    this.#deadline.clear();
    this.transcript?.heard(decoded.reply);
    if (stage === "dot") this.#isComplete = false;
    return decoded.reply;
  }

  /**
   * The last reply to a message, which the end of the connection cut off behind its code, such as
   * `250 ok` without CRLF. Null where there is none, or where the end was not the server's: what
   * follows any other reply cannot be sent any more.
   */
  #lastReply(): Reply | null {
    if (this.#stage !== "dot" || this.#lost === null || !CUT_OFF.has(this.#lost.cause)) return null;
    const reply = this.#decoder.end();
    if (reply !== null) this.transcript?.heard(reply);
    return reply;
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#isComplete ||= stage === "dot";
    // A server may answer what came with a message when it has taken the message.
    const limitStage = this.#isComplete ? "dot" : stage;
    const limitMs = Math.max(this.#timeoutsMs[stage], this.#timeoutsMs[limitStage]);
    this.#deadline.set(this.#aborting ? Math.min(limitMs, this.#abortGraceMs) : limitMs);
  }

  #end(cause: LossCause, detail?: unknown): ConnectionLost {
    if (this.#lost !== null) return this.#lost;
    this.#lost = new ConnectionLost(this.#stage, { cause, detail });
    if (cause !== "aborted" || this.#aborting) this.transcript?.note(LOSS_NOTES[cause]);
    this.#deadline.dispose();
    this.#conn.close();
    return this.#lost;
  }
}
