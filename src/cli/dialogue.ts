import { decodeLatin1, decodeText } from "../base/bytes.ts";
import type { Conn, Endpoint, TlsInfo, TlsUpgrade } from "../net/conn.ts";
import { counted, printable } from "./text.ts";

/** One line of an SMTP dialogue. */
export interface DialogueLine {
  /** Who said it: the client or the server. */
  readonly side: "C" | "S";
  readonly text: string;
}

const FINAL_DOT = "\r\n.\r\n";
const LINE_FEED = 10;

/**
 * A connection that tells what passes through it, line by line. The octets of a message are told
 * as their number.
 */
export class DialogueConn implements Conn {
  readonly #conn: Conn;
  readonly #tell: (line: DialogueLine) => void;
  /** What the server began to say. */
  #pending = "";
  #message: { lengthBytes: number; tail: string } | null = null;
  /** Octets of a BDAT chunk (RFC 3030) that are still to come. */
  #chunkBytes = 0;

  constructor(conn: Conn, tell: (line: DialogueLine) => void) {
    this.#conn = conn;
    this.#tell = tell;
  }

  get local(): Endpoint {
    return this.#conn.local;
  }

  get remote(): Endpoint {
    return this.#conn.remote;
  }

  get tls(): TlsInfo | null {
    return this.#conn.tls;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const lengthBytes = await this.#conn.read(into);
    if (lengthBytes !== null) this.#heard(decodeText(into.subarray(0, lengthBytes)));
    return lengthBytes;
  }

  async write(data: Uint8Array): Promise<void> {
    this.#said(data);
    await this.#conn.write(data);
  }

  close(): void {
    this.#conn.close();
  }

  async upgradeToTls(upgrade: TlsUpgrade): Promise<Conn> {
    return new DialogueConn(await this.#conn.upgradeToTls(upgrade), this.#tell);
  }

  #heard(text: string): void {
    const lines = (this.#pending + text).split("\r\n");
    this.#pending = lines.pop() ?? "";
    for (const line of lines) {
      this.#tell({ side: "S", text: printable(line) });
      if (line.startsWith("354")) this.#message = { lengthBytes: 0, tail: "" };
    }
  }

  #said(data: Uint8Array): void {
    if (this.#message !== null) return this.#saidMessage(data, this.#message);
    let rest = data.subarray(Math.min(this.#chunkBytes, data.length));
    this.#chunkBytes -= data.length - rest.length;
    while (rest.length > 0) {
      const end = rest.indexOf(LINE_FEED) + 1;
      if (end === 0) return;
      const line = decodeLatin1(rest.subarray(0, end)).trimEnd();
      this.#tell({ side: "C", text: printable(decodeText(rest.subarray(0, line.length))) });
      rest = rest.subarray(end);
      const chunk = /^BDAT (\d+)/.exec(line);
      if (chunk === null) continue;
      const lengthBytes = Number(chunk[1]);
      this.#tell({ side: "C", text: `(${counted(lengthBytes, "octet")} of message)` });
      const here = Math.min(lengthBytes, rest.length);
      this.#chunkBytes = lengthBytes - here;
      rest = rest.subarray(here);
    }
  }

  #saidMessage(data: Uint8Array, message: { lengthBytes: number; tail: string }): void {
    message.lengthBytes += data.length;
    const end = decodeText(data.subarray(-FINAL_DOT.length));
    message.tail = (message.tail + end).slice(-FINAL_DOT.length);
    if (message.tail !== FINAL_DOT) return;
    this.#message = null;
    this.#tell({ side: "C", text: `(${counted(message.lengthBytes - 3, "octet")} of message)` });
    this.#tell({ side: "C", text: "." });
  }
}
