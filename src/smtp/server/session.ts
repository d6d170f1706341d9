import { formatReply, type Reply } from "../../mail/reply.ts";
import type { Conn, TlsInfo } from "../../net/conn.ts";
import { type Decision, refuse } from "../../policy/decision.ts";
import { parseCommand } from "../wire/command.ts";
import type { InputBuffer } from "../wire/input_buffer.ts";
import { LineReader, type LineResult } from "../wire/line_reader.ts";
import { Channel } from "./channel.ts";
import type { SessionContext } from "./context.ts";
import { REPLIES } from "./replies.ts";
import { type SessionState, START } from "./state.ts";
import { answer, type Verb, type VerbResult, type VerbSession } from "./verb.ts";

/** Replies to pipelined commands are written when they reach this, so they stay bounded. */
const UNSENT_LIMIT_CHARS = 16_384;

type Takeover = Extract<VerbResult, { kind: "takeover" }>;

/** One client's dialogue, from the greeting to the end of the connection. */
export class Session implements VerbSession {
  readonly context: SessionContext;
  readonly sessionId: string;
  readonly user: string | null = null;
  state: SessionState = START;
  readonly #channel: Channel;
  readonly #lines: LineReader;
  #verb: Verb | null = null;
  #errors = 0;
  #messages = 0;
  #commandSinceMs = 0;
  #waiting = false;
  #stopping = false;

  constructor(conn: Conn, context: SessionContext) {
    this.context = context;
    this.sessionId = context.nextId();
    this.#channel = new Channel(conn, context);
    const maxLineBytes = context.limits.commandLineBytes + context.offer.extraLineBytes;
    this.#lines = new LineReader(this.#channel.input, { maxLineBytes });
  }

  get listener(): string {
    return this.context.listener;
  }

  get clientAddress(): string {
    return this.#channel.remote.address;
  }

  get clientPort(): number {
    return this.#channel.remote.port;
  }

  get tls(): TlsInfo | null {
    return this.#channel.tls;
  }

  get helo(): string {
    return "greeting" in this.state ? this.state.greeting.helo : "";
  }

  get esmtp(): boolean {
    return "greeting" in this.state && this.state.greeting.esmtp;
  }

  get input(): InputBuffer {
    return this.#channel.input;
  }

  fill(timeoutMs: number): Promise<boolean> {
    return this.#channel.fill(timeoutMs);
  }

  /** Serves the client; resolves when the connection is closed. Throws only for a bug. */
  async run(): Promise<void> {
    this.context.events({ type: "session_opened", ...this.#about() });
    try {
      await this.#greet();
      // An idle session waits here, not in a function below: its frame would be held as well.
      while (this.#channel.closing === null) {
        const busy = this.#serveNext();
        if (busy !== null) await busy;
      }
      await this.#channel.flush();
    } finally {
      this.#channel.close("error");
      this.#channel.release();
      const reason = this.#channel.closing ?? "error";
      const messages = this.#messages;
      this.context.events({ type: "session_closed", ...this.#about(), reason, messages });
      this.context.onSessionEnd(this.sessionId);
    }
  }

  /**
   * Asks the session to end: at once where it waits for a command, otherwise after the message
   * that is under way (RFC 5321 3.8).
   */
  shutdown(): void {
    this.#stopping = true;
    if (this.#waiting) this.#channel.hangUp(REPLIES.shuttingDown, "shutdown");
  }

  /** Ends the session wherever it is. */
  close(): void {
    this.#channel.close("shutdown");
  }

  /** The connection set-up of RFC 5321 3.1. */
  async #greet(): Promise<void> {
    const decision = await this.#judgeConnection();
    if (this.#stopping) return; // 421 stands in for the greeting then
    if (decision.kind === "accept") {
      return this.#channel.send({ code: 220, lines: [`${this.context.hostname} ESMTP Posthouse`] });
    }
    const { reply, cause } = decision;
    this.#refused(reply, cause);
    this.#send(reply);
    if (reply.code === 421) this.#channel.end("refused");
    else this.state = { kind: "rejected" };
  }

  async #judgeConnection(): Promise<Decision> {
    const { policy, limits } = this.context;
    try {
      const decision = await policy.connect(this);
      const judgesTalk = decision.kind === "accept" && limits.greetDelayMs > 0;
      const talks = judgesTalk && await this.#channel.hearsWithin(limits.greetDelayMs);
      return talks ? refuse(REPLIES.talkedEarly) : decision;
    } catch (error) {
      this.#tellBug(error);
      return refuse(REPLIES.closingAfterError);
    }
  }

  /**
   * Answers the next command that waits, or waits for one. As many as wait at a time are answered
   * in one write (RFC 2920 section 3.2).
   */
  #serveNext(): Promise<unknown> | null {
    this.#waiting = false;
    const line = this.#lines.next();
    if (line.kind === "incomplete") {
      return this.#channel.unsentChars > 0 ? this.#channel.flush() : this.#awaitCommand();
    }
    const result = this.#judge(line);
    if (result instanceof Promise || result.kind === "takeover") return this.#finish(result);
    this.#conclude(result);
    return this.#flushUnlessMore();
  }

  async #finish(pending: VerbResult | Promise<VerbResult>): Promise<void> {
    let result = pending;
    if (result instanceof Promise) result = await result.catch((error) => this.#bug(error));
    while (result.kind === "takeover") result = await this.#handOver(result);
    this.#conclude(result);
    await this.#flushUnlessMore();
  }

  #flushUnlessMore(): Promise<boolean> | null {
    const mayWait = this.#verb?.pipelinable && this.#channel.unsentChars < UNSENT_LIMIT_CHARS;
    return mayWait ? null : this.#channel.flush();
  }

  #awaitCommand(): Promise<boolean> | null {
    if (this.#stopping) {
      this.#conclude({ kind: "end", reply: REPLIES.shuttingDown, reason: "shutdown" });
      return null;
    }
    const { clock, limits } = this.context;
    this.input.rest();
    const nowMs = clock.monotonic();
    // The limit is for the whole command, so that a client cannot feed it octet by octet.
    if (!this.#lines.midLine) this.#commandSinceMs = nowMs;
    this.#waiting = true;
    return this.fill(this.#commandSinceMs + limits.commandTimeoutMs - nowMs);
  }

  /** Takes one command line to its verb. */
  #judge(line: Exclude<LineResult, { kind: "incomplete" }>): VerbResult | Promise<VerbResult> {
    this.#verb = null;
    if (this.#stopping) return { kind: "end", reply: REPLIES.shuttingDown, reason: "shutdown" };
    if (this.#errors >= this.context.limits.errors) {
      return { kind: "end", reply: REPLIES.tooManyErrors, reason: "too_many_errors" };
    }
    if (line.kind === "too_long") return answer(REPLIES.lineTooLong);
    if (line.kind === "bare_lf") return answer(REPLIES.bareLf);
    const command = parseCommand(line.bytes);
    if (command.kind === "error") return answer({ ...REPLIES.syntax, lines: [command.reason] });
    this.#verb = this.context.offer.verbs.get(command.verb) ?? null;
    if (this.state.kind === "rejected" && command.verb !== "QUIT") {
      return answer(REPLIES.connectionRefused);
    }
    if (this.#verb === null) return answer(REPLIES.unknownCommand);
    const refusal = this.#verb.check(this.state);
    if (refusal !== null) return answer(refusal);
    try {
      return this.#verb.run(this, command.args);
    } catch (error) {
      return this.#bug(error);
    }
  }

  async #handOver({ reply, run }: Takeover): Promise<VerbResult> {
    if (reply !== null) this.#channel.send(reply);
    if (!await this.#channel.flush()) return { kind: "gone" };
    try {
      return await run(this);
    } catch (error) {
      this.#tellBug(error); // how far the input was read is not known, so the dialogue must end
      return { kind: "end", reply: REPLIES.closingAfterError, reason: "error" };
    }
  }

  #conclude(result: Exclude<VerbResult, Takeover>): void {
    if (result.kind === "gone") return;
    const { reply } = result;
    if (reply.code >= 400) this.#errors++;
    if (result.kind === "verdict" && reply.code < 400) {
      this.#messages++;
      this.#errors = 0;
    }
    if (result.kind === "reply" && reply.code >= 400) this.#refused(reply, result.cause);
    this.#send(reply);
    if (result.kind === "end") this.#channel.end(result.reason);
  }

  #send(reply: Reply): void {
    try {
      this.#channel.send(reply);
    } catch (error) {
      this.#channel.send(this.#bug(error).reply);
    }
  }

  #about() {
    const { sessionId, listener, clientAddress, clientPort } = this;
    return { sessionId, listener, clientAddress, clientPort };
  }

  #refused(reply: Reply, cause?: string): void {
    const { sessionId, listener, clientAddress } = this;
    const verb = this.#verb?.verb ?? "";
    const told = { sessionId, listener, clientAddress, verb, reply: formatReply(reply) };
    this.context.events({ type: "command_refused", ...told, ...(cause ? { cause } : {}) });
  }

  #bug(error: unknown): { readonly kind: "reply"; readonly reply: Reply } {
    this.#tellBug(error);
    return { kind: "reply", reply: REPLIES.internalError };
  }

  #tellBug(cause: unknown): void {
    const verb = this.#verb?.verb ?? "connection";
    const message = `Cannot answer ${verb} in session ${this.sessionId}: internal error`;
    this.context.events({ type: "trouble", level: "error", component: "smtp", message, cause });
  }
}
