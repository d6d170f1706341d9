import { encodeText } from "../../base/bytes.ts";
import type { Deadline } from "../../base/deadlines.ts";
import type { Reply } from "../../mail/reply.ts";
import type { Conn, ServerTlsUpgrade, TlsInfo } from "../../net/conn.ts";
import { InputBuffer } from "../wire/input_buffer.ts";
import { LineReader, type LineResult, type WholeLine } from "../wire/line_reader.ts";
import { formatReplyLines } from "../wire/reply_encoder.ts";
import type { SessionContext } from "./context.ts";
import { REPLIES } from "./replies.ts";
import type { CloseReason } from "./verb.ts";

/** How long a client that is being hung up on may take for the last reply. */
const GOODBYE_MS = 5_000;

/** Writes without a read between them after which other sessions get their turn. */
const WRITES_PER_TURN = 32;

/** Octets of data after which other sessions get their turn. Small reads wait for more anyway. */
const OCTETS_PER_TURN = 512 * 1024;

/**
 * The connection of one session: its only reader, its only writer, its time limits, and the
 * reason why it is over. A lost connection is a value here, not an exception.
 */
export class Channel {
  readonly input: InputBuffer;
  #conn: Conn;
  readonly #context: SessionContext;
  readonly #lines: LineReader;
  readonly #deadline: Deadline;
  readonly #endsAtMs: number;
  #commandSinceMs = 0;
  #octetsRead = 0;
  #writesSinceRead = 0;
  #octetsAtTurn = 0;
  #unsent = "";
  #closing: CloseReason | null = null;
  #tlsFailure: string | null = null;
  #reading = false;
  #pendingRead: Promise<number | null> | null = null;

  constructor(conn: Conn, context: SessionContext) {
    this.#conn = conn;
    this.#context = context;
    this.input = new InputBuffer(context.buffers);
    this.#lines = new LineReader(this.input, { maxLineBytes: context.longestLineBytes });
    this.#deadline = context.deadlines.add(() => this.#expire());
    this.#endsAtMs = context.deadlines.elapsedMs + context.limits.sessionTimeoutMs;
  }

  get remote(): Conn["remote"] {
    return this.#conn.remote;
  }

  get tls(): TlsInfo | null {
    return this.#conn.tls;
  }

  /** Why the session is over; null while it is not. */
  get closing(): CloseReason | null {
    return this.#closing;
  }

  /** Why the TLS handshake failed, for the log; null when it did not. */
  get tlsFailure(): string | null {
    return this.#tlsFailure;
  }

  /** How much text waits for `flush`, in characters. */
  get unsentChars(): number {
    return this.#unsent.length;
  }

  /** Octets the client sent so far. */
  get octetsRead(): number {
    return this.#octetsRead;
  }

  /**
   * Adds a reply to what the next `flush` writes.
   *
   * @throws RangeError when the reply cannot be encoded.
   */
  send(reply: Reply): void {
    this.#unsent += formatReplyLines(reply);
  }

  /** Writes the replies that wait, in one piece. False when the connection is lost. */
  flush(): Promise<boolean> {
    if (this.#unsent === "") return Promise.resolve(true);
    const octets = encodeText(this.#unsent);
    this.#unsent = "";
    this.#arm(this.#context.limits.commandTimeoutMs);
    return this.#conn.write(octets).then(
      () => this.#settleWrite(true),
      () => this.#settleWrite(false),
    );
  }

  /** Takes the next line out of the input, if it is there. */
  nextLine(): LineResult {
    return this.#lines.next();
  }

  /**
   * Gives room back and begins a read for the next command. The caller waits for it itself and
   * then calls `endRead`: whatever stood between would be held by every idle session.
   */
  awaitCommand(): Promise<number | null> {
    const nowMs = this.#context.deadlines.elapsedMs;
    this.input.rest();
    // The limit is for the whole command, so that a client cannot feed it octet by octet.
    if (!this.#lines.midLine) this.#commandSinceMs = nowMs;
    this.#arm(this.#commandSinceMs + this.#context.limits.commandTimeoutMs - nowMs);
    return this.#read();
  }

  /** Ends the read under way, if there is one; what is no number of octets is its end. */
  endRead(count: unknown): void {
    if (this.#reading) this.#take(typeof count === "number" ? count : null);
  }

  /** Whether a read is under way. */
  get reading(): boolean {
    return this.#reading;
  }

  /** The next line, waited for within the time of a command; null when the session is over. */
  async readLine(): Promise<WholeLine | null> {
    const { deadlines, limits } = this.#context;
    const sinceMs = deadlines.elapsedMs;
    for (;;) {
      const line = this.#lines.next();
      if (line.kind !== "incomplete") return line;
      const leftMs = sinceMs + limits.commandTimeoutMs - deadlines.elapsedMs;
      if (!await this.fill(leftMs)) return null;
    }
  }

  /**
   * Flushes, then reads once within `timeoutMs`. False when the session is over. It is no async
   * function, because every idle session would hold its frame.
   */
  fill(timeoutMs: number): Promise<boolean> {
    if (this.#closing !== null) return Promise.resolve(false);
    if (this.#unsent !== "") {
      return this.flush().then((flushed) => flushed && this.fill(timeoutMs));
    }
    this.#arm(timeoutMs);
    return this.#read().then((count) => this.#settleFill(count), () => this.#take(null));
  }

  /** Whether the client sends something, or leaves, before `delayMs` are over. */
  hearsWithin(delayMs: number): Promise<boolean> {
    const read = this.#pendingRead = this.#conn.read(this.input.room());
    return new Promise((resolve) => {
      const cancel = this.#context.clock.schedule(delayMs, () => resolve(false));
      const hear = (): void => {
        cancel();
        resolve(true);
      };
      read.then(hear, hear);
    });
  }

  /**
   * Makes the TLS handshake, what waits in the input thrown away (RFC 3207 section 4.2). Gives
   * false when it fails and the session is over.
   */
  async secure(upgrade: ServerTlsUpgrade): Promise<boolean> {
    this.input.clear();
    try {
      this.#conn = await this.#conn.upgradeToTls(upgrade);
    } catch (error) {
      this.end("tls_failed");
      this.#tlsFailure = error instanceof Error ? error.message : String(error);
      return false;
    }
    if (this.#closing !== null) this.#conn.close(); // somebody ended the session meanwhile
    return this.#closing === null;
  }

  /** The session is over once what waits is flushed; the first reason counts. */
  end(reason: CloseReason): void {
    this.#closing ??= reason;
  }

  /** Ends the session from outside, while `fill` waits: says why, then closes. */
  hangUp(reply: Reply, reason: CloseReason): void {
    this.end(reason);
    this.#deadline.set(GOODBYE_MS);
    const close = () => this.#conn.close();
    this.#conn.write(encodeText(formatReplyLines(reply))).then(close, close);
  }

  /** Closes the connection at once. */
  close(reason: CloseReason): void {
    this.end(reason);
    this.#deadline.dispose();
    this.#conn.close();
  }

  /** Gives the buffers back. Only for the end of the session, when nobody looks at its input. */
  release(): void {
    // A read that is still pending (the greeting's) may yet write into its buffer.
    if (!this.#reading && this.#pendingRead === null) this.input.release();
  }

  #read(): Promise<number | null> {
    this.#reading = true;
    return this.#pendingRead ?? this.#conn.read(this.input.room());
  }

  /** Ends a read; null where the connection ended, was lost, or was closed by a deadline. */
  #take(count: number | null): boolean {
    this.#pendingRead = null;
    this.#reading = false;
    this.#writesSinceRead = 0;
    this.#deadline.clear();
    if (count === null) this.end("lost");
    else {
      this.input.filled(count);
      this.#octetsRead += count;
    }
    return this.#closing === null;
  }

  #settleFill(count: number | null): boolean | Promise<boolean> {
    const goesOn = this.#take(count);
    // A read of octets that are there already is no wait either: data that are refused, and so wait
    // for no disk, would be read to their end before anybody else is heard.
    if (!goesOn || this.#octetsRead - this.#octetsAtTurn < OCTETS_PER_TURN) return goesOn;
    this.#octetsAtTurn = this.#octetsRead;
    return new Promise((resolve) => setTimeout(() => resolve(this.#closing === null), 0));
  }

  #settleWrite(written: boolean): boolean | Promise<boolean> {
    this.#deadline.clear();
    if (!written) this.end("lost");
    // A write that the socket takes at once is no wait: thousands of commands in one read would be
    // answered before anybody else is.
    if (++this.#writesSinceRead % WRITES_PER_TURN !== 0) return written;
    return new Promise((resolve) => setTimeout(() => resolve(written), 0));
  }

  #arm(timeoutMs: number): void {
    this.#deadline.set(Math.min(timeoutMs, this.#endsAtMs - this.#context.deadlines.elapsedMs));
  }

  #expire(): void {
    if (this.#reading && this.#closing === null) return this.hangUp(REPLIES.timeout, "timeout");
    this.end("timeout"); // the client does not even take what we say
    this.#conn.close();
  }
}
