/** One SMTP session of the recording sink. */
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

/** What a session tells its sink and asks it. */
export interface SessionHost {
  /** Lines of the EHLO reply. */
  readonly extensions: readonly string[];
  noteCommand(line: string): void;
  /** A reply that refuses the recipient; null accepts. */
  judgeRecipient(address: string): string | null;
  /** A reply that refuses the message; null when it was recorded. */
  takeMessage(message: RecordedMessage): string | null;
}

/** One connection. It ends by itself, whatever the peer does. */
export class SinkSession {
  readonly #sink: SessionHost;
  readonly #conn: Deno.TcpConn;
  readonly #number: number;
  readonly #input = new ByteBuffer();
  #replies = "220 sink.test ESMTP\r\n";
  #mail: { readonly reversePath: string; readonly mailParameters: string } | null = null;
  #recipients: string[] = [];

  constructor({ sink, conn, number }: { sink: SessionHost; conn: Deno.TcpConn; number: number }) {
    this.#sink = sink;
    this.#conn = conn;
    this.#number = number;
  }

  async run(): Promise<void> {
    try {
      for (;;) {
        const line = await this.#readLine();
        if (line === null) return;
        this.#sink.noteCommand(line);
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
        this.#reply(ehloReply(this.#sink.extensions));
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
    this.#reply(this.#sink.takeMessage(message) ?? "250 2.0.0 Stored");
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

/** Closes a connection that may be closed already. */
export function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // closed already
  }
}
