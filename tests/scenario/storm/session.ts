/** One session at a destination in the storm. */
import type { Random } from "../../../src/base/random.ts";
import { encodeText } from "../../../src/base/bytes.ts";
import type { Conn } from "../../../src/net/conn.ts";
import type { ServerTlsContext } from "../../../src/net/server_tls.ts";
import { ByteBuffer } from "../../support/byte_buffer.ts";
import { type Climate, cutAfterBytes, type Mishap, mishapAt, type Stage } from "./mishaps.ts";

const CRLF = encodeText("\r\n");
const END_OF_DATA = encodeText("\r\n.\r\n");
const DRIP_MS = 8;

/** What a session asks and tells its destination. */
export interface SessionHost {
  readonly extensions: readonly string[];
  readonly climate: Climate;
  readonly random: Random;
  readonly tls: ServerTlsContext;
  /** A message is complete; the answer to it may never arrive. */
  take(message: { recipients: readonly string[]; data: Uint8Array }): void;
}

/** Ends a session. */
class Hangup extends Error {}

/** One connection. It ends by itself, whatever the relay does. */
export class StormSession {
  readonly #host: SessionHost;
  readonly #leftBytes: { count: number };
  #conn: Conn;
  #input = new ByteBuffer();
  #hasMail = false;
  #recipients: string[] = [];

  constructor(host: SessionHost, conn: Conn) {
    this.#host = host;
    this.#conn = conn;
    this.#leftBytes = { count: cutAfterBytes(host) };
  }

  async run(): Promise<void> {
    try {
      await this.#answer("greeting", "220 storm.test ESMTP");
      for (;;) await this.#take(await this.#readLine());
    } catch {
      // The relay or this side ended the connection.
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#conn.close();
  }

  async #take(line: string): Promise<void> {
    switch (line.split(/[ :]/, 1)[0]?.toUpperCase()) {
      case "EHLO":
        return void await this.#answer("hello", this.#hello());
      case "HELO":
        return void await this.#answer("hello", "250 storm.test");
      case "STARTTLS":
        return await this.#secure();
      case "MAIL":
        this.#recipients = [];
        this.#hasMail = await this.#answer("mail", "250 2.1.0 Ok");
        return;
      case "RCPT":
        return await this.#addRecipient(line);
      case "DATA":
        return await this.#takeData();
      case "BDAT":
        return await this.#takeChunk(Number(/^BDAT (\d+) LAST$/.exec(line)?.[1]));
      case "QUIT":
        await this.#write("221 2.0.0 Bye\r\n");
        throw new Hangup();
      default:
        await this.#write("250 2.0.0 Ok\r\n");
    }
  }

  #hello(): string {
    const extensions = this.#conn.tls === null
      ? this.#host.extensions
      : this.#host.extensions.filter((keyword) => keyword !== "STARTTLS");
    const lines = ["storm.test", ...extensions];
    return lines.map((line, index) => `250${index === extensions.length ? " " : "-"}${line}`)
      .join("\r\n");
  }

  async #secure(): Promise<void> {
    if (!await this.#answer("starttls", "220 2.0.0 Go ahead")) return;
    if (this.#host.random.float() < this.#host.climate.mishaps) {
      await this.#write("This is no TLS at all, and it never was.\r\n");
      throw new Hangup();
    }
    const { tls: context } = this.#host;
    this.#conn = await this.#conn.upgradeToTls({ role: "server", context, timeoutMs: 5_000 });
    this.#input = new ByteBuffer();
  }

  async #addRecipient(line: string): Promise<void> {
    const address = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1] ?? "";
    if (!this.#hasMail) return await this.#write("503 5.5.1 No sender\r\n");
    if (await this.#answer("rcpt", "250 2.1.5 Ok")) this.#recipients.push(address);
  }

  async #takeData(): Promise<void> {
    if (this.#recipients.length === 0) return await this.#write("554 5.5.1 No recipients\r\n");
    if (!await this.#answer("data", "354 Go ahead")) return;
    let end = -1;
    for (let from = 0; end < 0; end = this.#input.indexOf(END_OF_DATA, from)) {
      from = Math.max(0, this.#input.length - 4);
      await this.#fill();
    }
    const data = this.#input.take(end + 2);
    this.#input.take(3);
    await this.#finish(data);
  }

  /** RFC 3030; the message is one chunk. */
  async #takeChunk(sizeBytes: number): Promise<void> {
    while (this.#input.length < sizeBytes) await this.#fill();
    const data = this.#input.take(sizeBytes);
    if (this.#recipients.length === 0) return await this.#write("503 5.5.1 No recipients\r\n");
    await this.#finish(data);
  }

  /** Takes the message unless it is refused, then answers, or fails to. */
  async #finish(data: Uint8Array): Promise<void> {
    const recipients = this.#recipients;
    this.#recipients = [];
    const mishap = mishapAt("dot", this.#host);
    const isLost = mishap?.kind === "close" && this.#host.random.float() < 0.5;
    if (mishap?.kind !== "refuse" && !isLost) this.#host.take({ recipients, data });
    await this.#perform(mishap, "250 2.0.0 Stored");
  }

  /** Answers at a stage; whether as usual. */
  async #answer(stage: Stage, usual: string): Promise<boolean> {
    const mishap = mishapAt(stage, this.#host);
    await this.#perform(mishap, usual);
    return mishap?.kind !== "refuse" && mishap?.kind !== "garbage";
  }

  async #perform(mishap: Mishap | null, usual: string): Promise<void> {
    switch (mishap?.kind) {
      case undefined:
        return await this.#write(`${usual}\r\n`);
      case "refuse":
        await this.#write(`${mishap.reply}\r\n`);
        if (mishap.reply.startsWith("421")) throw new Hangup();
        return;
      case "close":
        throw new Hangup();
      case "stall":
        for (;;) await this.#fill();
      case "garbage":
        return await this.#write("\x00\xff?? 2five0 ok\n\r\r\n");
      case "drip":
        return await this.#drip(`${usual}\r\n`);
      case "half":
        await this.#write(usual.slice(0, usual.length / 2));
        throw new Hangup();
      case "leave":
        await this.#write(`${usual}\r\n`);
        throw new Hangup();
    }
  }

  async #drip(text: string): Promise<void> {
    for (const octet of text) {
      await this.#write(octet);
      await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
    }
  }

  async #write(text: string): Promise<void> {
    await this.#conn.write(encodeText(text));
  }

  async #readLine(): Promise<string> {
    for (;;) {
      const end = this.#input.indexOf(CRLF);
      if (end >= 0) return this.#input.takeText(end + 2).slice(0, -2);
      await this.#fill();
    }
  }

  /** Reads on, up to the octet at which the connection is cut. */
  async #fill(): Promise<void> {
    const left = this.#leftBytes;
    const conn = {
      read: (into: Uint8Array) => this.#conn.read(into.subarray(0, Math.max(1, left.count))),
    };
    const before = this.#input.length;
    if (left.count <= 0 || !(await this.#input.fill(conn))) throw new Hangup();
    left.count -= this.#input.length - before;
  }
}
