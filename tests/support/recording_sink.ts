/**
 * A next hop for tests: an SMTP server that keeps every message octet for octet and answers as
 * it is told. It shares no code with the relay, so that a mistake there cannot hide here.
 */
import {
  closeQuietly,
  type RecordedMessage,
  type SessionHost,
  SinkSession,
} from "./recording_session.ts";

export type { RecordedMessage };

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

class Sink implements RecordingSink, SessionHost {
  readonly messages: RecordedMessage[] = [];
  readonly commands: string[] = [];
  readonly port: number;
  readonly extensions: readonly string[];
  sessions = 0;
  readonly #options: RecordingSinkOptions;
  #dots = 0;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Map<Deno.TcpConn, Promise<void>>();
  readonly #seen = new Map<string, number>();
  readonly #accepting: Promise<void>;
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: RecordingSinkOptions) {
    this.#options = options;
    this.extensions = options.extensions ?? DEFAULT_EXTENSIONS;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: options.port ?? 0 });
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  judgeRecipient(address: string): string | null {
    const seen = this.#seen.get(address) ?? 0;
    this.#seen.set(address, seen + 1);
    return this.#options.judgeRecipient?.(address, seen) ?? null;
  }

  noteCommand(line: string): void {
    this.commands.push(line);
  }

  takeMessage(message: RecordedMessage): string | null {
    const refusal = this.#options.judgeMessage?.(message, this.#dots++) ?? null;
    if (refusal === null) this.#record(message);
    return refusal;
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

  #record(message: RecordedMessage): void {
    this.messages.push(message);
    this.#waiting = this.#waiting.filter(({ condition, resolve }) => {
      const isMet = condition();
      if (isMet) resolve();
      return !isMet;
    });
  }
}
