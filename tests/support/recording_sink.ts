/**
 * A next hop for tests: an SMTP server that keeps every message octet for octet and answers as
 * it is told. It shares no code with the relay, so that a mistake there cannot hide here.
 */
import { Buffer } from "node:buffer";
import { ByteBuffer } from "./byte_buffer.ts";

const encoder = new TextEncoder();
const CRLF = encoder.encode("\r\n");
const END_OF_DATA = encoder.encode("\r\n.\r\n");
const DOT_LINE = encoder.encode(".\r\n");
const DOT_AT_LINE_START = encoder.encode("\r\n.");
const DOT = 0x2e;

/** A message that was answered with 2xx after its final dot. */
export interface RecordedMessage {
  /** The argument of MAIL FROM without brackets, and its parameters as given. */
  readonly reversePath: string;
  readonly mailParameters: string;
  /** Those of RCPT TO that were answered with 2xx. */
  readonly recipients: readonly string[];
  /** The octets, transparency removed. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The connection it came on, counted from 1. */
  readonly session: number;
}

/** How a sink behaves; by default it accepts everything. */
export interface RecordingSinkOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number;
  /** Lines of the EHLO reply. */
  readonly extensions?: readonly string[];
  /** Answers RCPT for an address, `seen` being how often it was asked for before; null accepts. */
  readonly judgeRecipient?: (address: string, seen: number) => string | null;
  /** Answers the final dot, `seen` being how many dots came before; null accepts. */
  readonly judgeMessage?: (message: RecordedMessage, seen: number) => string | null;
}

/** A running sink. Disposing of it cuts every connection. */
export interface RecordingSink extends AsyncDisposable {
  readonly port: number;
  readonly messages: readonly RecordedMessage[];
  /** Connections so far. */
  readonly sessions: number;
  /** Every command line so far, of all connections. */
  readonly commands: readonly string[];
  /**
   * Resolves when `count` messages have come.
   *
   * @throws Error when they do not within `timeoutMs`.
   */
  waitForMessages(count: number, options?: { timeoutMs?: number }): Promise<void>;
  /** The same for a condition, looked at after each message that came. */
  waitUntil(condition: () => boolean, options?: { timeoutMs?: number }): Promise<void>;
}

const DEFAULT_EXTENSIONS = ["PIPELINING", "SIZE 0", "8BITMIME", "ENHANCEDSTATUSCODES"];

/** Starts a sink on loopback. */
export function startRecordingSink(options: RecordingSinkOptions = {}): RecordingSink {
  return new Sink(options);
}

class Sink implements RecordingSink {
  readonly messages: RecordedMessage[] = [];
  readonly commands: string[] = [];
  readonly port: number;
  sessions = 0;
  dots = 0;
  readonly options: RecordingSinkOptions;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Map<Deno.TcpConn, Promise<void>>();
  readonly #seen = new Map<string, number>();
  readonly #accepting: Promise<void>;
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: RecordingSinkOptions) {
    this.options = options;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: options.port ?? 0 });
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  judgeRecipient(address: string): string | null {
    const seen = this.#seen.get(address) ?? 0;
    this.#seen.set(address, seen + 1);
    return this.options.judgeRecipient?.(address, seen) ?? null;
  }

  record(message: RecordedMessage): void {
    this.messages.push(message);
    this.#waiting = this.#waiting.filter(({ condition, resolve }) => {
      const isMet = condition();
      if (isMet) resolve();
      return !isMet;
    });
  }

  async waitForMessages(count: number, options?: { timeoutMs?: number }): Promise<void> {
    await this.waitUntil(() => this.messages.length >= count, options);
  }

  async waitUntil(condition: () => boolean, { timeoutMs = 60_000 } = {}): Promise<void> {
    if (condition()) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push({ condition, resolve });
        timer = setTimeout(() => {
          reject(new Error(`only ${this.messages.length} messages after ${timeoutMs} ms`));
        }, timeoutMs);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open.keys()) closeQuietly(conn);
    await Promise.all([this.#accepting, ...this.#open.values()]);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      conn.setNoDelay(true);
      this.sessions += 1;
      const session = new SinkSession({ sink: this, conn, number: this.sessions });
      this.#open.set(conn, session.run().finally(() => this.#open.delete(conn)));
    }
  }
}

class SinkSession {
  readonly #sink: Sink;
  readonly #conn: Deno.TcpConn;
  readonly #number: number;
  readonly #input = new ByteBuffer();
  #replies = "220 sink.test ESMTP\r\n";
  #mail: { readonly reversePath: string; readonly mailParameters: string } | null = null;
  #recipients: string[] = [];

  constructor({ sink, conn, number }: { sink: Sink; conn: Deno.TcpConn; number: number }) {
    this.#sink = sink;
    this.#conn = conn;
    this.#number = number;
  }

  async run(): Promise<void> {
    try {
      for (;;) {
        const line = await this.#readLine();
        if (line === null) return;
        this.#sink.commands.push(line);
        if (!await this.#answer(line)) return;
      }
    } catch {
      // The peer vanished, or the sink was disposed of: both end the session.
    } finally {
      closeQuietly(this.#conn);
    }
  }

  /** Answers one command; false after QUIT. */
  async #answer(line: string): Promise<boolean> {
    switch (line.slice(0, 4).toUpperCase()) {
      case "EHLO":
        this.#reply(ehloReply(this.#sink.options.extensions ?? DEFAULT_EXTENSIONS));
        break;
      case "MAIL":
        this.#startMail(line);
        break;
      case "RCPT":
        this.#addRecipient(line);
        break;
      case "DATA":
        await this.#takeData();
        break;
      case "QUIT":
        this.#reply("221 2.0.0 Bye");
        await this.#flush();
        return false;
      case "RSET":
        this.#reset();
        this.#reply("250 2.0.0 Ok");
        break;
      default:
        this.#reply("250 2.0.0 Ok");
    }
    return true;
  }

  #startMail(line: string): void {
    const match = /^MAIL FROM:<([^>]*)>\s*(.*)$/i.exec(line);
    if (match === null) return this.#reply("501 5.5.4 Syntax");
    if (this.#mail !== null) return this.#reply("503 5.5.1 Nested MAIL");
    this.#mail = { reversePath: match[1] ?? "", mailParameters: match[2] ?? "" };
    this.#reply("250 2.1.0 Ok");
  }

  #addRecipient(line: string): void {
    const address = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1];
    if (address === undefined) return this.#reply("501 5.5.4 Syntax");
    const refusal = this.#sink.judgeRecipient(address);
    if (refusal === null) this.#recipients.push(address);
    this.#reply(refusal ?? "250 2.1.5 Ok");
  }

  async #takeData(): Promise<void> {
    const mail = this.#mail;
    if (mail === null || this.#recipients.length === 0) {
      return this.#reply("503 5.5.1 No valid recipients");
    }
    this.#reply("354 Go ahead");
    const data = await this.#readData();
    const message = {
      ...mail,
      recipients: this.#recipients,
      data,
      session: this.#number,
    };
    this.#reset();
    const refusal = this.#sink.options.judgeMessage?.(message, this.#sink.dots++) ?? null;
    if (refusal === null) this.#sink.record(message);
    this.#reply(refusal ?? "250 2.0.0 Stored");
  }

  #reset(): void {
    this.#mail = null;
    this.#recipients = [];
  }

  async #readData(): Promise<Uint8Array<ArrayBuffer>> {
    let searched = 0;
    for (;;) {
      if (this.#input.length >= 3 && this.#input.indexOf(DOT_LINE) === 0) {
        this.#input.take(3);
        return new Uint8Array();
      }
      const index = this.#input.indexOf(END_OF_DATA, searched);
      if (index >= 0) {
        const stuffed = this.#input.take(index + 2);
        this.#input.take(3);
        return unstuff(stuffed);
      }
      searched = Math.max(0, this.#input.length - 4);
      await this.#fill();
    }
  }

  /** The next command without CRLF; null at the end of the stream. */
  async #readLine(): Promise<string | null> {
    for (;;) {
      const index = this.#input.indexOf(CRLF);
      if (index >= 0) {
        const line = this.#input.takeText(index);
        this.#input.take(2);
        return line;
      }
      try {
        await this.#fill();
      } catch {
        return null;
      }
    }
  }

  async #fill(): Promise<void> {
    await this.#flush();
    if (!await this.#input.fill(this.#conn)) throw new Error("end of stream");
  }

  #reply(text: string): void {
    this.#replies += `${text}\r\n`;
  }

  /** Writes what was answered since the last read, in one piece. */
  async #flush(): Promise<void> {
    let rest = encoder.encode(this.#replies);
    this.#replies = "";
    while (rest.length > 0) rest = rest.subarray(await this.#conn.write(rest));
  }
}

function ehloReply(extensions: readonly string[]): string {
  const lines = ["sink.test", ...extensions];
  return lines.map((line, index) => `250${index === lines.length - 1 ? " " : "-"}${line}`)
    .join("\r\n");
}

/** Removes the dot that RFC 5321 4.5.2 put before each line that began with one. */
function unstuff(data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const stuffed = Buffer.from(data.buffer, data.byteOffset, data.length);
  const pieces: Uint8Array[] = [];
  let start = stuffed[0] === DOT ? 1 : 0;
  for (;;) {
    const index = stuffed.indexOf(DOT_AT_LINE_START, start);
    if (index < 0) break;
    pieces.push(stuffed.subarray(start, index + 2));
    start = index + 3;
  }
  if (pieces.length === 0) return data.subarray(start);
  pieces.push(stuffed.subarray(start));
  return Uint8Array.from(Buffer.concat(pieces));
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // closed already
  }
}
