import type { Identity } from "../../auth/authenticator.ts";
import { formatReply, type Reply } from "../../mail/reply.ts";
import type { Conn, ServerTlsUpgrade, TlsInfo } from "../../net/conn.ts";
import { type Decision, refuse } from "../../policy/decision.ts";
import { parseCommand } from "../wire/command.ts";
import type { WholeLine } from "../wire/line_reader.ts";
import { Channel } from "./channel.ts";
import { type Attributes, claimOf, type ClientClaim, NO_CLAIM } from "./client_claim.ts";
import type { SessionContext } from "./context.ts";
import { isClosing } from "./decide.ts";
import { refusalOf } from "./gate.ts";
import { ready, REPLIES } from "./replies.ts";
import * as events from "./session_events.ts";
import { messageOf, type SessionState, START } from "./state.ts";
import { SessionTally } from "./tally.ts";
import {
  answer,
  type Conclusion,
  type Takeover,
  type Verb,
  type VerbResult,
  type VerbSession,
} from "./verb.ts";
import { UNKNOWN } from "./verb_table.ts";

const TAB = 0x09;
/** Replies to pipelined commands are written when they reach this, so they stay bounded. */
const UNSENT_LIMIT_CHARS = 16_384;

/** One client's dialogue, from the greeting to the end of the connection. */
export class Session implements VerbSession {
  readonly context: SessionContext;
  readonly sessionId: string;
  readonly channel: Channel;
  readonly tally = new SessionTally();
  authenticated = false;
  #state: SessionState = START;
  #identity: Identity | null = null;
  /** What a proxy said of the client. */
  #claim: ClientClaim = NO_CLAIM;
  #verb: Verb | null = null;
  #waiting = false;
  #stopping = false;
  /** Resolves when a message that was left behind is forgotten. */
  #forgetting: Promise<void> | null = null;

  constructor(conn: Conn, context: SessionContext) {
    this.context = context;
    this.sessionId = context.nextId();
    this.channel = new Channel(conn, context);
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Leaving a transaction forgets its message, unless that has ended. */
  set state(next: SessionState) {
    const message = messageOf(this.#state);
    if (message !== null && message !== messageOf(next)) this.#forgetting = message.abandon();
    this.#state = next;
  }

  get listener(): string {
    return this.context.listener;
  }

  get clientAddress(): string {
    return this.#claim.address ?? this.channel.remote.address;
  }

  get clientPort(): number {
    return this.#claim.port ?? this.channel.remote.port;
  }

  get tls(): TlsInfo | null {
    return this.channel.tls;
  }

  get user(): string | null {
    return this.#identity?.user ?? null;
  }

  get helo(): string {
    return "greeting" in this.#state ? this.#state.greeting.helo : "";
  }

  get esmtp(): boolean {
    return "greeting" in this.#state && this.#state.greeting.esmtp;
  }

  authenticate(identity: Identity): void {
    this.authenticated = true;
    this.#identity = identity;
    events.tellAuthenticated(this, identity);
  }

  async secure(upgrade: ServerTlsUpgrade): Promise<boolean> {
    const discardedBytes = this.channel.input.length;
    if (!await this.channel.secure(upgrade)) return false;
    this.state = START; // RFC 3207 section 4.2
    this.authenticated = false;
    const certificate = this.tls?.peer;
    const { auth } = this.context;
    this.#identity = certificate && auth ? auth.authenticator.identify(certificate) : null;
    events.tellSecured(this, { discardedBytes });
    return true;
  }

  async assume(attributes: Attributes): Promise<VerbResult> {
    const fromAddress = this.clientAddress;
    const { login = null, greeting } = this.#claim = claimOf(attributes, this.#claim);
    this.context.onClientChange({ fromAddress, toAddress: this.clientAddress });
    this.state = greeting === undefined ? START : { kind: "ready", greeting };
    // Who the proxy itself is says nothing of its client.
    this.authenticated = login !== null;
    this.#identity = login === null ? null : { user: login, device: null, mechanism: "XCLIENT" };
    events.tellForwarded(this, { command: "XCLIENT", attributes });
    return this.#welcome(await this.#judgeConnection());
  }

  /** Serves the client; resolves when the connection is closed. Throws only for a bug. */
  async run(): Promise<void> {
    events.tellOpened(this);
    try {
      await this.#greet();
      // An idle session waits here, not in a function below: its frame would be held as well.
      while (this.channel.closing === null) {
        const busy = this.#serveNext();
        if (busy === null) continue;
        try {
          this.channel.endRead(await busy);
        } catch (error) {
          if (!this.channel.reading) throw error;
          this.channel.endRead(null); // the connection is lost
        }
      }
      await this.channel.flush();
    } finally {
      this.channel.close("error");
      this.state = START;
      if (this.#forgetting !== null) await this.#forgetting;
      this.channel.release();
      events.tellClosed(this);
      this.context.onSessionEnd(this);
    }
  }

  /**
   * Asks the session to end: at once where it waits for a command, otherwise after the message
   * that is under way (RFC 5321 3.8).
   */
  shutdown(): void {
    this.#stopping = true;
    if (this.#waiting) this.channel.hangUp(REPLIES.shuttingDown, "shutdown");
  }

  /** Ends the session wherever it is. */
  close(): void {
    this.channel.close("shutdown");
  }

  /** The connection set-up of RFC 5321 3.1. */
  async #greet(): Promise<void> {
    const { tls, limits: { greetDelayMs } } = this.context;
    let decision = await this.#judgeConnection();
    if (tls.mode === "implicit") {
      // Overload is no time for handshakes, and without one there is nobody to tell.
      if (isClosing(decision)) return this.channel.end("refused");
      if (!await this.secure(tls.upgrade)) return;
    }
    if (decision.kind === "accept" && greetDelayMs > 0) {
      if (await this.channel.hearsWithin(greetDelayMs)) decision = refuse(REPLIES.talkedEarly);
    }
    if (this.#stopping) return; // 421 stands in for the greeting then
    this.#conclude(this.#welcome(decision));
  }

  #welcome(decision: Decision): Conclusion {
    if (decision.kind === "accept") return { kind: "reply", reply: ready(this.context.hostname) };
    this.#refused(decision.reply, decision.cause);
    if (isClosing(decision)) return { kind: "end", reply: decision.reply, reason: "refused" };
    this.state = { kind: "rejected" };
    return { kind: "verdict", reply: decision.reply };
  }

  async #judgeConnection(): Promise<Decision> {
    try {
      return await this.context.policy.connect(this);
    } catch (error) {
      this.#bug(error);
      return refuse(REPLIES.closingAfterError);
    }
  }

  /**
   * Answers the next command that waits, or waits for one. As many as wait at a time are answered
   * in one write (RFC 2920 section 3.2).
   */
  #serveNext(): Promise<unknown> | null {
    this.#waiting = false;
    const line = this.channel.nextLine();
    if (line.kind === "incomplete") {
      return this.channel.unsentChars > 0 ? this.channel.flush() : this.#awaitCommand();
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
    const mayWait = this.#verb?.pipelinable && this.channel.unsentChars < UNSENT_LIMIT_CHARS;
    return mayWait ? null : this.channel.flush();
  }

  #awaitCommand(): Promise<unknown> | null {
    if (this.#stopping) {
      this.#conclude({ kind: "end", reply: REPLIES.shuttingDown, reason: "shutdown" });
      return null;
    }
    this.#waiting = true;
    return this.channel.awaitCommand();
  }

  /** Takes one command line to its verb. */
  #judge(line: WholeLine): VerbResult | Promise<VerbResult> {
    const { limits, offer } = this.context;
    this.#verb = null;
    if (this.#stopping) return { kind: "end", reply: REPLIES.shuttingDown, reason: "shutdown" };
    const excess = this.tally.countCommand(limits, this.channel.octetsRead);
    if (excess !== null) return { kind: "end", ...excess };
    const decision = this.context.policy.command(this);
    if (decision.kind === "refuse") {
      return { kind: "end", reply: decision.reply, reason: "too_many_commands" };
    }
    if (line.kind === "too_long") return answer(REPLIES.lineTooLong);
    if (line.kind === "bare_lf") return answer(REPLIES.bareLf);
    const isLoose = line.bytes.includes(TAB) && this.context.policy.trusts(this);
    const command = parseCommand(line.bytes, { isLoose });
    if (command.kind === "error") return answer({ ...REPLIES.syntax, lines: [command.reason] });
    const verb = this.#verb = offer.verbs.get(command.verb) ?? UNKNOWN;
    const refusal = refusalOf(verb, { session: this, lineBytes: line.bytes.length + 2 });
    if (refusal !== null) return verb.refuse?.(command.args, refusal) ?? answer(refusal);
    try {
      return verb.run(this, command.args);
    } catch (error) {
      return this.#bug(error);
    }
  }

  async #handOver({ reply, run }: Takeover): Promise<VerbResult> {
    if (reply !== null) this.channel.send(reply);
    if (!await this.channel.flush()) return { kind: "gone" };
    try {
      return await run(this);
    } catch (error) {
      this.#bug(error); // how far the input was read is not known, so the dialogue must end
      return { kind: "end", reply: REPLIES.closingAfterError, reason: "error" };
    }
  }

  #conclude(result: Conclusion): void {
    if (result.kind === "gone" || result.kind === "silent") return;
    const { reply } = result;
    const isLimit = result.kind === "reply" && result.limit !== undefined;
    if (reply.code >= 400 && !isLimit) this.tally.countError();
    if (result.kind === "verdict" && reply.code < 400) this.tally.countMessage();
    if (result.kind === "reply" && reply.code >= 400 && result.limit !== "known") {
      this.#refused(reply, result.cause);
    }
    this.#send(reply);
    if (result.kind === "end") this.channel.end(result.reason);
  }

  #send(reply: Reply): void {
    try {
      this.channel.send(reply);
    } catch (error) {
      this.channel.send(this.#bug(error).reply);
    }
  }

  #refused(reply: Reply, cause?: string): void {
    events.tellRefused(this, { verb: this.#verb?.verb ?? "", reply: formatReply(reply), cause });
  }

  /** Tells of what should not happen; the client gets 451, which is temporary. */
  #bug(error: unknown): { readonly kind: "reply"; readonly reply: Reply } {
    events.tellBug(this, { verb: this.#verb?.verb ?? "connection", cause: error });
    return { kind: "reply", reply: REPLIES.internalError };
  }
}
