/**
 * An SMTP client for tests that does one thing after the other and shares no code with the relay.
 */
import { Buffer } from "node:buffer";
import { ByteBuffer } from "./byte_buffer.ts";
import { closeQuietly } from "./recording_session.ts";

const encoder = new TextEncoder();
const CRLF = encoder.encode("\r\n");
const LINE_DOT = encoder.encode("\r\n.");
const FINAL_DOT = encoder.encode(".\r\n");
const DOT = encoder.encode(".");
const REPLY_TIMEOUT_MS = 60_000;

/** A reply of the server: its code and its lines without code and CRLF. */
export interface PlainReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** A message to send. */
export interface PlainMessage {
  readonly from: string;
  readonly to: readonly string[];
  /** The octets as they shall arrive, ending in CRLF; dots are doubled by the client. */
  readonly data: Uint8Array;
}

/** What became of a message. */
export interface PlainResult {
  /** The first refusal, or the reply to the final dot. */
  readonly reply: PlainReply;
  /** Milliseconds from the write of the final dot to its reply; null when it did not come to that. */
  readonly dotToReplyMs: number | null;
}

/** One connection. Every method throws when the server is gone. */
export class PlainClient implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #input = new ByteBuffer();
  /** Lines of the reply to EHLO, without the name of the server. */
  extensions: readonly string[] = [];

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects to loopback and reads the greeting, without a word. */
  static async connect(port: number): Promise<PlainClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const client = new PlainClient(conn);
    try {
      await client.readReply();
    } catch (error) {
      conn.close();
      throw error;
    }
    return client;
  }

  /** Connects and introduces itself. */
  static async greet(port: number): Promise<PlainClient> {
    const client = await PlainClient.connect(port);
    client.extensions = (await client.command("EHLO client.test")).lines.slice(1);
    return client;
  }

  /** Connects, goes inside TLS by STARTTLS, and introduces itself there. */
  static async greetInTls(
    port: number,
    { hostname, caCerts }: { hostname: string; caCerts: readonly string[] },
  ): Promise<PlainClient> {
    let conn: Deno.Conn = await Deno.connect({ hostname: "127.0.0.1", port });
    try {
      const plain = new PlainClient(conn);
      await plain.readReply();
      await plain.command("STARTTLS");
      const options = { hostname, caCerts: [...caCerts] };
      conn = await Deno.startTls(conn as Deno.TcpConn, options);
      const client = new PlainClient(conn);
      client.extensions = (await client.command("EHLO client.test")).lines.slice(1);
      return client;
    } catch (error) {
      closeQuietly(conn);
      throw error;
    }
  }

  /** Sends one line and waits for its reply. */
  async command(line: string): Promise<PlainReply> {
    await this.write(encoder.encode(`${line}\r\n`));
    return await this.readReply();
  }

  /** Sends one message, waiting for every reply. */
  async send({ from, to, data }: PlainMessage): Promise<PlainResult> {
    for (const line of [`MAIL FROM:<${from}>`, ...to.map((path) => `RCPT TO:<${path}>`)]) {
      const reply = await this.command(line);
      if (reply.code !== 250) return { reply, dotToReplyMs: null };
    }
    const start = await this.command("DATA");
    if (start.code !== 354) return { reply: start, dotToReplyMs: null };
    await this.write(dotStuffed(data));
    const dotAt = performance.now();
    await this.write(FINAL_DOT);
    const reply = await this.readReply();
    return { reply, dotToReplyMs: performance.now() - dotAt };
  }

  /** Writes all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.#conn.write(rest));
  }

  /** Reads a reply; after a minute of silence it cuts the connection and throws. */
  async readReply(): Promise<PlainReply> {
    const lines: string[] = [];
    const timer = setTimeout(() => this.#conn.close(), REPLY_TIMEOUT_MS);
    try {
      for (;;) {
        const line = await this.#readLine();
        lines.push(line.slice(4));
        if (line[3] !== "-") return { code: Number(line.slice(0, 3)), lines };
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Cuts the connection. */
  [Symbol.dispose](): void {
    closeQuietly(this.#conn);
  }

  async #readLine(): Promise<string> {
    for (;;) {
      const index = this.#input.indexOf(CRLF);
      if (index >= 0) return this.#input.takeText(index + 2).slice(0, -2);
      if (!await this.#input.fill(this.#conn)) throw new Error("the server hung up");
    }
  }
}

/** Doubles the dot of each line that begins with one (RFC 5321 4.5.2). */
export function dotStuffed(data: Uint8Array): Uint8Array {
  const plain = Buffer.from(data.buffer, data.byteOffset, data.length);
  const pieces: Uint8Array[] = plain[0] === DOT[0] ? [DOT] : [];
  let start = 0;
  for (;;) {
    const index = plain.indexOf(LINE_DOT, start);
    if (index < 0) break;
    pieces.push(plain.subarray(start, index + 3), DOT);
    start = index + 3;
  }
  if (pieces.length === 0) return data;
  pieces.push(plain.subarray(start));
  return Buffer.concat(pieces);
}
