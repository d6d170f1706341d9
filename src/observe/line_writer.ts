import { encodeText } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";

/** Takes all octets, soon or when the promise resolves. A rejection means they are lost. */
export type ByteWriter = (bytes: Uint8Array<ArrayBuffer>) => void | Promise<void>;

/** Where lines go and how they are gathered. */
export interface LineWriterOptions {
  readonly write: ByteWriter;
  readonly clock: Clock;
  /** Makes the line that says how many were lost. */
  readonly lossLine: (lines: number) => string;
  /** How long a line waits for others at most. */
  readonly flushDelayMs?: number;
  /** As much is written at once, sooner. */
  readonly flushChars?: number;
  /** As much may wait while the reader is slow; further lines are lost and counted. */
  readonly waitingChars?: number;
}

/**
 * Gathers lines and writes them together. Adding one never waits and never throws; what a slow
 * reader leaves unread is bounded.
 */
export class LineWriter implements AsyncDisposable {
  readonly #options: Required<LineWriterOptions>;
  #waiting = "";
  #waitingLines = 0;
  #lostLines = 0;
  #writing: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;

  constructor(options: LineWriterOptions) {
    this.#options = {
      flushDelayMs: 10,
      flushChars: 64 * 1024,
      waitingChars: 1024 * 1024,
      ...options,
    };
  }

  /** Adds one line, without its line feed. */
  add(line: string): void {
    const { clock, flushChars, flushDelayMs, waitingChars } = this.#options;
    if (this.#waiting.length + line.length >= waitingChars) {
      this.#lostLines++;
      return;
    }
    this.#waiting += line;
    this.#waiting += "\n";
    this.#waitingLines++;
    if (this.#writing !== null) return;
    if (this.#waiting.length >= flushChars) this.#write();
    else this.#cancelTimer ??= clock.schedule(flushDelayMs, () => this.#write());
  }

  /** Resolves when all lines added so far are written or lost. */
  async flush(): Promise<void> {
    if (this.#writing === null) this.#write();
    while (this.#writing !== null) await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }

  #write(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const lost = this.#lostLines;
    if (lost > 0) this.#waiting += `${this.#options.lossLine(lost)}\n`;
    if (this.#waiting === "") return;
    const bytes = encodeText(this.#waiting);
    // Those that were lost before are so still if the line that says so is.
    const lines = this.#waitingLines + lost;
    this.#lostLines = 0;
    this.#waiting = "";
    this.#waitingLines = 0;
    try {
      const written = this.#options.write(bytes);
      if (written instanceof Promise) this.#writing = this.#finish(written, lines);
    } catch {
      this.#lostLines += lines;
    }
  }

  /** What arrived while the writer was busy goes out at once. */
  async #finish(written: Promise<void>, lines: number): Promise<void> {
    let failed = false;
    try {
      await written;
    } catch {
      // There is no other place to say so; the next line that gets through does.
      failed = true;
      this.#lostLines += lines;
    }
    this.#writing = null;
    if (!failed && this.#waiting !== "") this.#write();
  }
}
