import { concatBytes, encodeText } from "../../../src/base/bytes.ts";
import type { Conn, Endpoint, TlsInfo } from "../../../src/net/conn.ts";

const LF = 0x0a;

/**
 * A connection without a network: the server has it as a `Conn`, the test is the client. Each
 * piece that is sent arrives in a read of its own (or several, where the server has less room).
 */
export class MemoryConn implements Conn {
  readonly local: Endpoint = { address: "192.0.2.25", port: 25 };
  readonly remote: Endpoint;
  /** What the handshake comes to that the server asks for; null for one that fails. */
  handshake: TlsInfo | null = { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" };
  /** How often the server wrote. */
  writes = 0;
  #incoming: Uint8Array[] = [];
  #outgoing = new Uint8Array(0);
  #tls: TlsInfo | null = null;
  #clientLeft = false;
  #closed = false;
  #stalled: (() => void)[] | null = null;
  #wakeServer: (() => void) | null = null;
  #wakeClient: (() => void) | null = null;

  constructor(clientAddress = "192.0.2.1") {
    this.remote = { address: clientAddress, port: 40_000 };
  }

  /** The client sends octets. */
  send(octets: Uint8Array | string): void {
    const piece = typeof octets === "string" ? encodeText(octets) : octets;
    if (piece.length > 0) this.#incoming.push(piece);
    this.#wake();
  }

  /** The client closes its side. */
  leave(): void {
    this.#clientLeft = true;
    this.#wake();
  }

  /** The client takes nothing any more: what the server writes from now on never gets through. */
  stall(): void {
    this.#stalled ??= [];
  }

  /** The next line from the server without its CRLF; null when the server closed. */
  async readLine(): Promise<string | null> {
    for (;;) {
      const lf = this.#outgoing.indexOf(LF);
      if (lf >= 0) return new TextDecoder().decode(this.#take(lf + 1)).slice(0, -2);
      if (this.#closed) return null;
      await new Promise<void>((resolve) => this.#wakeClient = resolve);
    }
  }

  /** Everything the server wrote that was not read yet. */
  takeOutput(): string {
    return new TextDecoder().decode(this.#take(this.#outgoing.length));
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#closed) throw new Error("closed");
      const piece = this.#incoming.shift();
      if (piece !== undefined) {
        const taken = piece.subarray(0, into.length);
        if (taken.length < piece.length) this.#incoming.unshift(piece.subarray(taken.length));
        into.set(taken);
        return taken.length;
      }
      if (this.#clientLeft) return null;
      await new Promise<void>((resolve) => this.#wakeServer = resolve);
    }
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new Error("closed"));
    const stalled = this.#stalled;
    if (stalled !== null) {
      return new Promise((_, reject) => stalled.push(() => reject(new Error("closed"))));
    }
    this.writes++;
    this.#outgoing = concatBytes([this.#outgoing, data]);
    this.#wake();
    return Promise.resolve();
  }

  close(): void {
    this.#closed = true;
    for (const reject of this.#stalled?.splice(0) ?? []) reject();
    this.#wake();
  }

  get tls(): TlsInfo | null {
    return this.#tls;
  }

  /** Stands in for a handshake: from then on the same octets count as encrypted. */
  upgradeToTls(): Promise<Conn> {
    if (this.handshake === null) {
      this.close();
      return Promise.reject(new Error("no common cipher"));
    }
    this.#tls = this.handshake;
    return Promise.resolve(this);
  }

  #take(count: number): Uint8Array {
    const taken = this.#outgoing.slice(0, count);
    this.#outgoing = this.#outgoing.slice(count);
    return taken;
  }

  #wake(): void {
    this.#wakeServer?.();
    this.#wakeClient?.();
    this.#wakeServer = this.#wakeClient = null;
  }
}
