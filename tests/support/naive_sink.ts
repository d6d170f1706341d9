/**
 * A next hop that is as careless as one can be: a line ends with CR, LF or both, NULs do not
 * count, and a line that is only a dot ends the message. Whoever smuggles gets a message through
 * here.
 */
import { closeQuietly } from "./recording_session.ts";

/** A running sink. Disposing of it cuts every connection. */
export interface NaiveSink extends AsyncDisposable {
  readonly port: number;
  /** The reverse-paths of what it took for messages. */
  readonly senders: readonly string[];
  /** Resolves when it took so many messages. */
  waitForMessages(count: number): Promise<void>;
}

/** Starts a sink on loopback. */
export function startNaiveSink(): NaiveSink {
  return new Sink();
}

const REPLIES: Readonly<Record<string, string>> = { DATA: "354 Go on", QUIT: "221 Bye" };

class Sink implements NaiveSink {
  readonly senders: string[] = [];
  readonly port: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Map<Deno.TcpConn, Promise<void>>();
  readonly #accepting: Promise<void>;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor() {
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  waitForMessages(count: number): Promise<void> {
    if (this.senders.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open.keys()) closeQuietly(conn);
    await Promise.all([this.#accepting, ...this.#open.values()]);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#open.set(conn, this.#serve(conn).finally(() => this.#open.delete(conn)));
    }
  }

  async #serve(conn: Deno.TcpConn): Promise<void> {
    const lines = new SloppyLines();
    const buffer = new Uint8Array(65_536);
    let sender: string | null = null;
    let isData = false;
    try {
      await conn.write(encode("220 naive.test\r\n"));
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) break;
        for (const line of lines.take(buffer.subarray(0, count))) {
          if (isData && line !== ".") continue;
          const verb = line.slice(0, 4).toUpperCase();
          if (isData) this.#record(sender ?? "");
          else if (verb === "MAIL") sender = line.slice("MAIL FROM:".length).split(" ")[0] ?? "";
          isData = !isData && verb === "DATA";
          await conn.write(encode(`${REPLIES[verb] ?? "250 Ok"}\r\n`));
        }
      }
    } catch {
      // the relay cut the connection, or the test is over
    } finally {
      closeQuietly(conn);
    }
  }

  #record(sender: string): void {
    this.senders.push(sender);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      const isMet = this.senders.length >= count;
      if (isMet) resolve();
      return !isMet;
    });
  }
}

class SloppyLines {
  #rest = "";

  take(octets: Uint8Array): string[] {
    const text = this.#rest + new TextDecoder("latin1").decode(octets).replaceAll("\0", "");
    const lines = text.split(/\r\n|\r|\n/);
    // A CR at the end may be half of CRLF; a line end more makes no difference after a command.
    this.#rest = lines.pop() ?? "";
    return lines.filter((line) => line !== "");
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
