import type { Deadlines } from "../../base/deadlines.ts";
import type { Reply } from "../../mail/reply.ts";
import type { ClientTlsUpgrade, Conn, TlsInfo } from "../../net/conn.ts";
import { type Capabilities, NO_CAPABILITIES, parseCapabilities } from "./capabilities.ts";
import { ConnectionLost } from "./connection_lost.ts";
import { ReplyChannel } from "./reply_channel.ts";
import { isPositive, SERVICE_CLOSING } from "./reply_class.ts";
import { type AuthResult, runSasl, type SaslExchange } from "./sasl.ts";
import { DEFAULT_TIMEOUTS, type Stage, type StageTimeouts } from "./stage.ts";
import {
  type ClientProtocol,
  Transaction,
  type TransactionRequest,
  type TransactionResult,
} from "./transaction.ts";
import type { Transcript } from "./transcript.ts";

/** How a client session is led. */
export interface SmtpClientOptions {
  /** What it calls itself in EHLO: a domain, or an address literal (RFC 5321 4.1.1.1). */
  readonly heloName: string;
  /** Default `smtp`. */
  readonly protocol?: ClientProtocol;
  /** Extensions that are not used even where they are offered, in upper case. */
  readonly ignoredExtensions?: ReadonlySet<string>;
  readonly deadlines: Deadlines;
  /** Replaces single values of `DEFAULT_TIMEOUTS`. */
  readonly timeoutsMs?: Partial<StageTimeouts>;
  /** How long an aborted transaction still waits for the reply to its final dot. */
  readonly abortGraceMs?: number;
}

/** A session that did not come about; the connection is closed. */
export type OpenFailure =
  /** The server refused it, or took leave. */
  | {
    readonly kind: "refused";
    readonly stage: "greeting" | "hello" | "starttls";
    readonly reply: Reply;
  }
  | { readonly kind: "lost"; readonly lost: ConnectionLost };

/** What opening a session came to. */
export type OpenResult = { readonly kind: "open"; readonly client: SmtpClient } | OpenFailure;

/** What STARTTLS came to. */
export type StartTlsResult =
  /** The session goes on inside TLS, with what the server offers there. */
  | { readonly kind: "secured" }
  /** The server would not; the session goes on in plain. */
  | { readonly kind: "declined"; readonly reply: Reply }
  | OpenFailure;

const DEFAULT_ABORT_GRACE_MS = 5000;

/**
 * The client's side of one SMTP or LMTP connection, for any number of transactions one after
 * the other. It reports what the server said; what that means for mail is for its owner.
 */
export class SmtpClient {
  readonly #channel: ReplyChannel;
  readonly #heloName: string;
  readonly #protocol: ClientProtocol;
  readonly #ignoredExtensions: ReadonlySet<string> | undefined;
  #capabilities = NO_CAPABILITIES;
  #serverName = "";
  #needsReset = false;
  #transactions = 0;

  private constructor(channel: ReplyChannel, options: SmtpClientOptions) {
    this.#channel = channel;
    this.#heloName = options.heloName;
    this.#protocol = options.protocol ?? "smtp";
    this.#ignoredExtensions = options.ignoredExtensions;
  }

  /**
   * Waits for the greeting and introduces itself. The connection belongs to the client from
   * here on and is closed unless the result is `open`.
   */
  static async open(
    conn: Conn,
    options: SmtpClientOptions & {
      readonly signal: AbortSignal;
      /** As for `recordTo`. */
      readonly transcript?: Transcript;
    },
  ): Promise<OpenResult> {
    const channel = new ReplyChannel(conn, {
      deadlines: options.deadlines,
      timeoutsMs: { ...DEFAULT_TIMEOUTS, ...options.timeoutsMs },
      abortGraceMs: options.abortGraceMs ?? DEFAULT_ABORT_GRACE_MS,
    });
    channel.transcript = options.transcript ?? null;
    const client = new SmtpClient(channel, options);
    const result = await abortable(channel, options.signal, () => client.#introduce());
    if (result.kind !== "open") channel.close();
    return result;
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** What the server calls itself in its reply to EHLO or HELO, in lower case. */
  get serverName(): string {
    return this.#serverName;
  }

  get tls(): TlsInfo | null {
    return this.#channel.tls;
  }

  /** Transactions that were begun on this connection. */
  get transactions(): number {
    return this.#transactions;
  }

  /** Whether another transaction can be run. */
  get isUsable(): boolean {
    return this.#channel.lost === null;
  }

  /** Records what is said from now on; null ends it. */
  recordTo(transcript: Transcript | null): void {
    this.#channel.transcript = transcript;
  }

  /**
   * Secures the session (RFC 3207) and introduces this client again. What the certificate is
   * worth is for the caller to judge by `tls`, unless the upgrade demands its verification.
   */
  startTls(
    upgrade: Omit<ClientTlsUpgrade, "timeoutMs">,
    { signal }: { signal: AbortSignal },
  ): Promise<StartTlsResult> {
    return abortable(this.#channel, signal, async () => {
      const answer = await this.#command("starttls", "STARTTLS");
      if (answer instanceof ConnectionLost) return { kind: "lost", lost: answer };
      if (!isPositive(answer)) return this.#declined(answer);
      const lost = await this.#channel.upgradeToTls(upgrade);
      if (lost !== null) return { kind: "lost", lost };
      this.#capabilities = NO_CAPABILITIES; // section 4.2: what was offered in plain is forgotten
      const opened = await this.#hello();
      if (opened.kind === "open") return { kind: "secured" };
      this.#channel.close();
      return opened;
    });
  }

  /** Tells the server who this client is (RFC 4954). */
  authenticate(
    exchange: SaslExchange,
    { signal }: { signal: AbortSignal },
  ): Promise<AuthResult> {
    return abortable(this.#channel, signal, () => runSasl(this.#channel, exchange));
  }

  /**
   * Runs one transaction; the next one may start when it has resolved. When `signal` aborts it
   * ends as soon as it is known what became of the message.
   *
   * @throws what the stream of the message throws; the connection is closed then.
   */
  async transact(
    request: TransactionRequest,
    { signal }: { signal: AbortSignal },
  ): Promise<TransactionResult> {
    const transaction = new Transaction(this.#channel, {
      capabilities: this.#capabilities,
      protocol: this.#protocol,
      request,
    });
    this.#transactions++;
    const reset = this.#needsReset;
    const result = await abortable(this.#channel, signal, () => transaction.run({ reset }));
    this.#needsReset = !result.finished;
    return result;
  }

  /**
   * Watches the connection while nothing is asked, so that `isUsable` tells when the server has
   * ended it. The next transaction ends the watch.
   */
  rest(): void {
    this.#channel.watch();
  }

  /** Takes leave and closes. Does not wait long for the server's reply, which changes nothing. */
  async quit(): Promise<void> {
    if (this.isUsable) {
      this.#channel.send("QUIT\r\n");
      await this.#channel.reply("quit");
    }
    this.close();
  }

  /** Closes the connection at once. */
  close(): void {
    this.#channel.close();
  }

  #declined(reply: Reply): StartTlsResult {
    if (reply.code !== SERVICE_CLOSING) return { kind: "declined", reply };
    this.#channel.close();
    return { kind: "refused", stage: "starttls", reply };
  }

  async #introduce(): Promise<OpenResult> {
    const greeting = await this.#channel.reply("greeting");
    if (greeting instanceof ConnectionLost) return { kind: "lost", lost: greeting };
    if (!isPositive(greeting)) return { kind: "refused", stage: "greeting", reply: greeting };
    return this.#hello();
  }

  async #hello(): Promise<OpenResult> {
    const answer = await this.#command("hello", `${this.#verb()} ${this.#heloName}`);
    if (answer instanceof ConnectionLost) return { kind: "lost", lost: answer };
    if (isPositive(answer)) {
      this.#capabilities = parseCapabilities(answer, this.#ignoredExtensions);
      this.#serverName = nameIn(answer);
      return { kind: "open", client: this };
    }
    // RFC 5321 3.2: a server that does not know EHLO gets HELO. LMTP has no such fallback.
    if (answer.code >= 500 && this.#protocol === "smtp") return await this.#plainHello();
    return { kind: "refused", stage: "hello", reply: answer };
  }

  async #plainHello(): Promise<OpenResult> {
    const answer = await this.#command("hello", `HELO ${this.#heloName}`);
    if (answer instanceof ConnectionLost) return { kind: "lost", lost: answer };
    if (!isPositive(answer)) return { kind: "refused", stage: "hello", reply: answer };
    this.#capabilities = NO_CAPABILITIES;
    this.#serverName = nameIn(answer);
    return { kind: "open", client: this };
  }

  #verb(): string {
    return this.#protocol === "smtp" ? "EHLO" : "LHLO"; // RFC 2033 section 4.1
  }

  #command(stage: Stage, line: string): Reply | ConnectionLost | Promise<Reply | ConnectionLost> {
    this.#channel.send(`${line}\r\n`);
    return this.#channel.reply(stage);
  }
}

/** RFC 5321 4.1.1.1: the reply begins with the name of the server. */
function nameIn({ lines }: Reply): string {
  return (lines[0] ?? "").trim().split(/\s/, 1)[0]?.toLowerCase() ?? "";
}

/** Runs `work`, which ends when the channel is aborted, under `signal`. */
async function abortable<T>(
  channel: ReplyChannel,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const onAbort = (): void => channel.abort();
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  try {
    return await work();
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
