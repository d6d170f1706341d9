/**
 * An SMTP or LMTP server that answers as a script says, for scenarios with servers that refuse,
 * stall, break off or talk nonsense. It shares no code with the relay but for sockets and TLS.
 */
import type { Conn, TlsInfo } from "../../src/net/conn.ts";
import { plainConn } from "../../src/net/plain_conn.ts";
import { createServerTls, type ServerTlsOptions } from "../../src/net/server_tls.ts";
import { ByteBuffer } from "./byte_buffer.ts";

const encoder = new TextEncoder();
const LF = encoder.encode("\n");

/** Closes the connection. */
export const CLOSE = Symbol("close");

/** One step of an answer. */
export type Act =
  /** Written as it is, in a write of its own. */
  | string
  | typeof CLOSE
  /** Waits before the next step. */
  | Promise<unknown>;

/** A reply without its last CRLF, or steps. Several lines are separated by CRLF. */
export type Answer = string | readonly Act[];

/** What the peer does; what is not given is accepted. */
export interface Script {
  readonly greeting?: Answer;
  /** Keywords of the EHLO or LHLO reply. */
  readonly extensions?: readonly string[];
  /**
   * Answers by verb in upper case (`EHLO`, `MAIL`, …; `.` is the end of the data), or by whole
   * command line, which is looked for first. In a list of answers each is used once, and the
   * last one from then on; the counting is over all connections.
   */
  readonly answers?: Readonly<Record<string, Answer | AnswerList>>;
  /** Asked where `answers` has nothing; null accepts. */
  readonly respond?: (verb: string, line: string) => Answer | null;
  /** Reads no more than so many octets of each connection, then closes it. */
  readonly closeAfterBytes?: number;
  /** With it STARTTLS works where `extensions` offers it. */
  readonly tls?: ServerTlsOptions;
  /** TLS comes before the greeting. */
  readonly implicitTls?: boolean;
  /** Speaks LMTP: one reply for each accepted recipient after the data. */
  readonly lmtp?: boolean;
}

/** Answers to use one after the other. */
export interface AnswerList {
  readonly inTurn: readonly Answer[];
}

/** A message that came complete, whatever the answer to it was. */
export interface ReceivedMessage {
  readonly mail: string;
  /** The RCPT lines that were accepted. */
  readonly recipients: readonly string[];
  /** The lines between DATA and the final dot as they came, transparency included. */
  readonly data: string;
}

/** A running peer. Disposing of it cuts every connection. */
export interface ScriptedPeer extends AsyncDisposable {
  /** 0 on a Unix socket. */
  readonly port: number;
  /** How many connections came. */
  readonly sessions: number;
  /** Every command line, over all connections. */
  readonly lines: readonly string[];
  readonly messages: readonly ReceivedMessage[];
  /** What each TLS handshake that succeeded agreed on. */
  readonly handshakes: readonly TlsInfo[];
  /** Resolves when the peer has received `count` lines that begin with `prefix`. */
  waitForLine(prefix: string, count?: number): Promise<void>;
  /** Resolves when every connection so far has ended. */
  idle(): Promise<void>;
}

/** Starts a peer on loopback, or on a Unix socket. */
export function startScriptedPeer(script: Script = {}, socketPath?: string): ScriptedPeer {
  return new Peer(
    script,
    socketPath === undefined
      ? Deno.listen({ hostname: "127.0.0.1", port: 0 })
      : Deno.listen({ transport: "unix", path: socketPath }),
  );
}

const DEFAULT_EXTENSIONS = ["PIPELINING", "SIZE 10000000", "8BITMIME", "ENHANCEDSTATUSCODES"];

class Peer implements ScriptedPeer {
  readonly port: number;
  readonly lines: string[] = [];
  readonly messages: ReceivedMessage[] = [];
  readonly handshakes: TlsInfo[] = [];
  sessions = 0;
  /** Rejects when the peer is disposed of. */
  readonly disposed: Promise<never>;
  readonly #dispose: (reason: Error) => void;
  readonly #listener: Deno.TcpListener | Deno.UnixListener;
  readonly script: Script;
  readonly #used = new Map<string, number>();
  readonly #open = new Map<PeerSession, Promise<void>>();
  readonly #accepting: Promise<void>;
  #waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[] = [];

  constructor(script: Script, listener: Deno.TcpListener | Deno.UnixListener) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // sessions that wait hear of it
    this.disposed = promise;
    this.#dispose = reject;
    this.script = script;
    this.#listener = listener;
    this.port = "port" in listener.addr ? listener.addr.port : 0;
    this.#accepting = this.#accept();
  }

  get isLmtp(): boolean {
    return this.script.lmtp ?? false;
  }

  get closeAfterBytes(): number {
    return this.script.closeAfterBytes ?? Infinity;
  }

  get greeting(): Answer {
    return this.script.greeting ?? "220 peer.test ready";
  }

  /** The script's answer to a command; null when it has none. */
  answer(verb: string, line: string): Answer | null {
    const { answers = {}, respond } = this.script;
    const key = line in answers ? line : verb;
    const found = answers[key];
    if (found === undefined) return respond?.(verb, line) ?? null;
    if (typeof found === "string" || !("inTurn" in found)) return found;
    const used = this.#used.get(key) ?? 0;
    this.#used.set(key, used + 1);
    return found.inTurn[Math.min(used, found.inTurn.length - 1)] ?? null;
  }

  /** The reply to EHLO or LHLO. */
  hello(): string {
    const lines = ["peer.test", ...this.script.extensions ?? DEFAULT_EXTENSIONS];
    const last = lines.length - 1;
    return lines.map((line, index) => `250${index === last ? " " : "-"}${line}`).join("\r\n");
  }

  record(line: string): void {
    this.lines.push(line);
    this.#waiting = this.#waiting.filter(({ isMet, resolve }) => {
      if (!isMet()) return true;
      resolve();
      return false;
    });
  }

  async waitForLine(prefix: string, count = 1): Promise<void> {
    const isMet = (): boolean =>
      this.lines.filter((line) => line.startsWith(prefix)).length >= count;
    if (isMet()) return;
    await new Promise<void>((resolve) => this.#waiting.push({ isMet, resolve }));
  }

  async idle(): Promise<void> {
    await Promise.all(this.#open.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#dispose(new Error("the peer was disposed of"));
    for (const session of this.#open.keys()) session.close();
    await Promise.all([this.#accepting, ...this.#open.values()]);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.sessions++;
      const session = new PeerSession(this, plainConn(conn));
      this.#open.set(session, session.run().finally(() => this.#open.delete(session)));
    }
  }
}

class PeerSession {
  readonly #peer: Peer;
  #conn: Conn;
  #input = new ByteBuffer();
  #readBytes = 0;
  #mail = "";
  #recipients: string[] = [];

  constructor(peer: Peer, conn: Conn) {
    this.#peer = peer;
    this.#conn = conn;
  }

  async run(): Promise<void> {
    try {
      if (this.#peer.script.implicitTls === true) await this.#secure();
      await this.#perform(this.#peer.greeting);
      for (;;) await this.#take(await this.#readLine());
    } catch {
      // The client or the script ended the connection, or the peer was disposed of.
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#conn.close();
  }

  async #take(line: string): Promise<void> {
    const verb = (line.split(/[ :]/, 1)[0] ?? "").toUpperCase();
    this.#peer.record(line);
    if (verb === "BDAT") return await this.#takeChunk(line);
    const answer = this.#peer.answer(verb, line) ?? this.#usual(verb);
    const code = firstCode(answer);
    if (code === 250) this.#remember(verb, line);
    await this.#perform(answer);
    if (verb === "DATA" && code === 354) await this.#takeData();
    if (verb === "STARTTLS" && code === 220) await this.#secure();
    if (verb === "QUIT") this.close();
  }

  async #secure(): Promise<void> {
    const { tls } = this.#peer.script;
    if (tls === undefined) return;
    const context = createServerTls(tls);
    this.#conn = await this.#conn.upgradeToTls({ role: "server", context, timeoutMs: 10_000 });
    this.#input = new ByteBuffer();
    if (this.#conn.tls !== null) this.#peer.handshakes.push(this.#conn.tls);
  }

  #remember(verb: string, line: string): void {
    if (verb === "MAIL") this.#mail = line;
    if (verb === "RCPT") this.#recipients.push(line);
    if (verb === "MAIL" || verb === "RSET") this.#recipients = [];
  }

  #usual(verb: string): Answer {
    switch (verb) {
      case "EHLO":
        return this.#peer.isLmtp ? "500 5.5.1 This is LMTP" : this.#peer.hello();
      case "LHLO":
        return this.#peer.isLmtp ? this.#peer.hello() : "500 5.5.1 This is SMTP";
      case "DATA":
        return this.#recipients.length > 0 ? "354 Go on" : "554 5.5.1 No valid recipients";
      case "STARTTLS":
        return this.#peer.script.tls === undefined ? "502 5.5.1 No TLS" : "220 2.0.0 Go ahead";
      case "QUIT":
        return "221 2.0.0 Bye";
      case "HELO":
        return "250 peer.test";
      default:
        return "250 2.0.0 OK";
    }
  }

  async #takeData(): Promise<void> {
    const lines: string[] = [];
    for (let line = await this.#readLine(); line !== "."; line = await this.#readLine()) {
      lines.push(`${line}\r\n`);
    }
    const recipients = this.#recipients;
    this.#recipients = [];
    this.#peer.messages.push({ mail: this.#mail, recipients, data: lines.join("") });
    this.#peer.record(".");
    const repeats = this.#peer.isLmtp ? recipients.length : 1;
    for (let count = 0; count < repeats; count++) {
      await this.#perform(this.#peer.answer(".", ".") ?? "250 2.0.0 Stored");
    }
  }

  /** RFC 3030; the message is one chunk. */
  async #takeChunk(line: string): Promise<void> {
    const sizeBytes = Number(/^BDAT (\d+) LAST$/.exec(line)?.[1]);
    while (this.#input.length < sizeBytes) {
      if (!(await this.#input.fill(this))) throw new Error("nothing more is read");
    }
    const data = this.#input.takeText(sizeBytes);
    const recipients = this.#recipients;
    this.#recipients = [];
    const isRefused = recipients.length === 0;
    if (!isRefused) this.#peer.messages.push({ mail: this.#mail, recipients, data });
    const usual = isRefused ? "503 5.5.1 No valid recipients" : "250 2.0.0 Stored";
    const repeats = this.#peer.isLmtp ? Math.max(1, recipients.length) : 1;
    for (let count = 0; count < repeats; count++) {
      await this.#perform(this.#peer.answer("BDAT", line) ?? usual);
    }
  }

  async #perform(answer: Answer): Promise<void> {
    if (typeof answer === "string") return await this.#write(`${answer}\r\n`);
    for (const act of answer) {
      if (typeof act === "string") await this.#write(act);
      else if (act === CLOSE) throw new Error("the script ends the connection");
      else await Promise.race([act, this.#peer.disposed]);
    }
  }

  async #write(text: string): Promise<void> {
    await this.#conn.write(encoder.encode(text));
  }

  /** The next line without CRLF, one octet a character. */
  async #readLine(): Promise<string> {
    for (;;) {
      const end = this.#input.indexOf(LF);
      if (end >= 0) return this.#input.takeText(end + 1).replace(/\r?\n$/, "");
      if (!(await this.#input.fill(this))) throw new Error("nothing more is read");
    }
  }

  /** Reads from the connection up to the octet after which the script closes it. */
  async read(into: Uint8Array): Promise<number | null> {
    const leftBytes = this.#peer.closeAfterBytes - this.#readBytes;
    if (leftBytes <= 0) return null;
    const lengthBytes = await this.#conn.read(into.subarray(0, leftBytes));
    this.#readBytes += lengthBytes ?? 0;
    return lengthBytes;
  }
}

/** The code that an answer begins with; 0 where it begins with none. */
function firstCode(answer: Answer): number {
  const text = typeof answer === "string"
    ? answer
    : answer.filter((act) => typeof act === "string").join("");
  return Number(/^\d{3}/.exec(text)?.[0] ?? 0);
}
