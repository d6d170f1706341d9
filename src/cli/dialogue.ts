import { decodeText } from "../base/bytes.ts";
import type { Conn, Endpoint, TlsInfo, TlsUpgrade } from "../net/conn.ts";
import { counted, printable } from "./text.ts";

/** One line of an SMTP dialogue. */
export interface DialogueLine {
  /** Who said it: the client or the server. */
  readonly side: "C" | "S";
  readonly text: string;
}

const FINAL_DOT = "\r\n.\r\n";

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
    if (this.#message === null) {
      const lines = decodeText(data).split("\r\n").slice(0, -1);
      for (const line of lines) this.#tell({ side: "C", text: printable(line) });
      return;
    }
    this.#message.lengthBytes += data.length;
    const end = decodeText(data.subarray(-FINAL_DOT.length));
    this.#message.tail = (this.#message.tail + end).slice(-FINAL_DOT.length);
    if (this.#message.tail !== FINAL_DOT) return;
    const { lengthBytes } = this.#message;
    this.#message = null;
    this.#tell({ side: "C", text: `(${counted(lengthBytes - 3, "octet")} of message)` });
    this.#tell({ side: "C", text: "." });
  }
}
