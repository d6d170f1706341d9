import { concatBytes, decodeText, encodeText } from "../../../src/base/bytes.ts";
import { Deadlines } from "../../../src/base/deadlines.ts";
import type { Conn, TlsInfo } from "../../../src/net/conn.ts";
import { SmtpClient, type SmtpClientOptions } from "../../../src/smtp/client/client.ts";
import type { RecipientResult, TransactionRequest } from "../../../src/smtp/client/transaction.ts";
import { Transcript } from "../../../src/smtp/client/transcript.ts";
import { formatReply } from "../../../src/mail/reply.ts";
import { ManualClock } from "../../support/manual_clock.ts";

/** What comes from a server: octets, the end, an error; without more it is silent. */
export type Heard = string | null | Error;

/** A connection to nobody: what the server says stands in a list. */
export class PlayedConn implements Conn {
  readonly local = { address: "127.0.0.1", port: 1 };
  readonly remote = { address: "127.0.0.1", port: 25 };
  tls: TlsInfo | null = null;
  isClosed = false;
  /** Pieces that were written. */
  readonly written: Uint8Array[] = [];
  /** After so many pieces a write fails. */
  writesLeft = Infinity;
  /** What a TLS handshake ends in. */
  secured: Conn | Error = new Error("no TLS here");
  upgrades: unknown[] = [];
  readonly #heard: Heard[];
  #wake: (() => void) | null = null;

  constructor(heard: readonly Heard[]) {
    this.#heard = [...heard];
  }

  /** Everything that was written. */
  get said(): string {
    return decodeText(concatBytes(this.written));
  }

  hear(...more: Heard[]): void {
    this.#heard.push(...more);
    this.#wake?.();
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#heard.length === 0) {
      if (this.isClosed) throw new Error("closed here");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const next = this.#heard.shift() ?? null;
    if (next instanceof Error) throw next;
    if (next === null) return null;
    const octets = encodeText(next);
    into.set(octets);
    return octets.length;
  }

  write(octets: Uint8Array): Promise<void> {
    if (this.writesLeft-- <= 0) return Promise.reject(new Error("broken pipe"));
    this.written.push(octets.slice());
    return Promise.resolve();
  }

  upgradeToTls(upgrade: unknown): Promise<Conn> {
    this.upgrades.push(upgrade);
    return this.secured instanceof Error
      ? Promise.reject(this.secured)
      : Promise.resolve(this.secured);
  }

  close(): void {
    this.isClosed = true;
    this.#wake?.();
  }
}

/** What opens a session with a server that has these extensions. */
export function opening(...extensions: string[]): string[] {
  const lines = ["mx.test", ...extensions];
  return [
    "220 mx.test\r\n",
    lines.map((line, index) => `250${index === lines.length - 1 ? " " : "-"}${line}\r\n`).join(""),
  ];
}

/** A client on such a connection, with its clock. */
export function openClient(
  heard: readonly Heard[],
  options: Partial<SmtpClientOptions> = {},
) {
  const conn = new PlayedConn(heard);
  const clock = new ManualClock();
  const deadlines = new Deadlines({ clock });
  const transcript = new Transcript();
  const abort = new AbortController();
  const { signal } = abort;
  const opened = SmtpClient.open(conn, {
    ...{ heloName: "relay.test", deadlines, signal, transcript, ...options },
  });
  return { conn, clock, deadlines, transcript, abort, signal, opened };
}

/** The same, when it is open. */
export async function openedClient(
  heard: readonly Heard[],
  options: Partial<SmtpClientOptions> = {},
) {
  const bench = openClient(heard, options);
  const result = await bench.opened;
  if (result.kind !== "open") throw new Error(`not open: ${result.kind}`);
  bench.conn.written.length = 0;
  return { ...bench, client: result.client };
}

/** A small message for some recipients. */
export function request(
  recipients: readonly string[],
  { text = "Subject: x\r\n\r\n.Text\r\n", dotLines = 1, isStream = false, sizeBytes }: {
    text?: string;
    dotLines?: number;
    isStream?: boolean;
    sizeBytes?: number | null;
  } = {},
): TransactionRequest {
  const bytes = encodeText(text);
  return {
    reversePath: "a@x.test",
    mailParameters: ["BODY=8BITMIME"],
    recipients: recipients.map((forwardPath) => ({ forwardPath, parameters: ["NOTIFY=NEVER"] })),
    data: {
      ...{ dotLines, bytes: isStream ? null : bytes },
      sizeBytes: sizeBytes === undefined ? bytes.length : sizeBytes,
      async *stream() {
        for (let at = 0; at < bytes.length; at += 10) {
          yield await Promise.resolve(bytes.subarray(at, at + 10));
        }
      },
    },
  };
}

/** Results, one line each. */
export function inWords(results: readonly RecipientResult[]): string[] {
  return results.map((result) =>
    result.kind === "reply"
      ? `${result.stage} ${formatReply(result.reply)}`
      : `${result.kind} ${result.lost.stage} ${result.lost.cause}`
  );
}
