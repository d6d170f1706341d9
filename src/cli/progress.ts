import type { CliIo } from "./io.ts";
import { styleOf } from "./style.ts";

const MAX_BAR_COLUMNS = 40;
const MIN_INTERVAL_MS = 50;

/**
 * A bar on standard error that shows how far something is; on anything but a terminal it writes
 * nothing.
 */
export class ProgressBar implements Disposable {
  readonly #io: CliIo;
  readonly #label: string;
  #total: number;
  #shownAtMs = -Infinity;

  constructor(io: CliIo, { label, total = 0 }: { label: string; total?: number }) {
    this.#io = io;
    this.#label = label;
    this.#total = total;
  }

  /** Shows `done` of the total, which may have become known; cheap to call often. */
  update(done: number, total: number = this.#total): void {
    this.#total = total;
    if (!this.#io.terminal.stderr) return;
    const nowMs = performance.now();
    if (nowMs - this.#shownAtMs < MIN_INTERVAL_MS) return;
    this.#shownAtMs = nowMs;
    this.#io.err(`\r${this.#line(done)}\x1b[K`);
  }

  /** Removes the bar. */
  [Symbol.dispose](): void {
    if (this.#io.terminal.stderr && this.#shownAtMs !== -Infinity) this.#io.err("\r\x1b[K");
  }

  #line(done: number): string {
    const style = styleOf(this.#io, "stderr");
    const columns = Math.min(MAX_BAR_COLUMNS, Math.max(10, this.#io.terminal.columns() - 50));
    const share = this.#total === 0 ? 1 : Math.min(1, done / this.#total);
    const filled = Math.round(share * columns);
    const bar = style.green("█".repeat(filled)) + style.dim("░".repeat(columns - filled));
    return `${this.#label} ${bar} ${done}/${this.#total}`;
  }
}
