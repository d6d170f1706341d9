import { formatSize } from "../../../observe/quantities.ts";
import type { CliIo } from "../../io.ts";
import { styleOf } from "../../style.ts";
import { formatTable } from "../../table.ts";
import { counted, printable } from "../../text.ts";
import type { Imported, MessageDraft } from "./importer.ts";

/** How many messages a dry run shows. */
const SAMPLES = 10;

interface Sample {
  readonly label: string;
  readonly message: MessageDraft;
}

/** What came of an import, so that nothing of it is lost. */
export class ImportReport {
  readonly #isDryRun: boolean;
  readonly #samples: Sample[] = [];
  readonly #passed = new Map<string, number>();
  readonly #problems: { readonly file: string; readonly reason: string }[] = [];
  #imported = 0;
  #known = 0;
  #expired = 0;
  #seen = 0;
  #stopped: string | null = null;

  constructor({ isDryRun }: { isDryRun: boolean }) {
    this.#isDryRun = isDryRun;
  }

  /** Messages that something became of. */
  get seen(): number {
    return this.#seen;
  }

  /** Why the import ended before its end; null when it did not. */
  get stopped(): string | null {
    return this.#stopped;
  }

  /** Whether something was not imported that should have been. */
  get hasProblems(): boolean {
    return this.#problems.length > 0 || this.#stopped !== null;
  }

  /** Ends the import before its end. */
  stop(reason: string): void {
    this.#stopped ??= reason;
  }

  /** Takes down what became of a message. `nowMs` tells whether its time is over already. */
  add(result: Imported, nowMs: number): void {
    this.#seen++;
    switch (result.kind) {
      case "imported":
        this.#imported++;
        if (result.message.expiresAtMs <= nowMs) this.#expired++;
        if (this.#samples.length < SAMPLES) this.#samples.push(result);
        break;
      case "known":
        this.#known++;
        break;
      case "passed":
        this.#passed.set(result.reason, (this.#passed.get(result.reason) ?? 0) + 1);
        break;
      case "problem":
        this.#problems.push({ file: result.label, reason: result.reason });
    }
  }

  /** For programs. */
  toJson(): Readonly<Record<string, unknown>> {
    return {
      dryRun: this.#isDryRun,
      imported: this.#imported,
      known: this.#known,
      expired: this.#expired,
      passed: Object.fromEntries(this.#passed),
      problems: this.#problems,
      stopped: this.#stopped,
    };
  }

  /** For people: what was done to standard output, what was not to standard error. */
  write(io: CliIo): void {
    if (this.#isDryRun) this.#writeSamples(io);
    const did = this.#isDryRun ? "Would import" : "Imported";
    io.out(`${did} ${counted(this.#imported, "message")}${this.#asides()}.\n`);
    if (this.#expired > 0) {
      io.err(
        `${counted(this.#expired, "message")} have expired and will bounce. Use --fresh to ` +
          "import exported messages with a new age.\n",
      );
    }
    if (this.#stopped !== null) {
      const more = "Run it again to continue; no message is imported twice.";
      io.err(`${styleOf(io, "stderr").red("Not finished:")} ${this.#stopped}. ${more}\n`);
    }
    this.#writeProblems(io);
  }

  #asides(): string {
    const known = this.#known === 0
      ? []
      : [`${this.#known} already imported (--again imports them again)`];
    const passed = [...this.#passed].map(([reason, count]) => `${count} skipped: ${reason}`);
    return [...known, ...passed].map((text) => `; ${text}`).join("");
  }

  #writeProblems(io: CliIo): void {
    if (this.#problems.length === 0) return;
    const style = styleOf(io, "stderr");
    io.err(`${style.red(`${counted(this.#problems.length, "message")} not imported:`)}\n`);
    for (const { file, reason } of this.#problems) {
      io.err(`  ${printable(file)}: ${printable(reason)}\n`);
    }
  }

  #writeSamples(io: CliIo): void {
    if (this.#samples.length === 0) return;
    io.out(formatTable(this.#samples, {
      width: io.terminal.columns(),
      style: styleOf(io),
      columns: [
        {
          header: "FROM",
          cell: ({ message }) => printable(message.reversePath) || "<>",
          minWidth: 10,
        },
        { header: "TO", cell: ({ message }) => recipientsText(message), minWidth: 10 },
        {
          header: "SIZE",
          cell: ({ message: { facts } }) => formatSize(facts.sizeBytes),
          align: "right",
        },
        {
          header: "SUBJECT",
          cell: ({ message }) => printable(message.summary.subject),
          minWidth: 10,
        },
        { header: "FILE", cell: ({ label }) => printable(label), minWidth: 10 },
      ],
    }));
    if (this.#imported > this.#samples.length) {
      io.out(`${styleOf(io).dim(`${this.#imported - this.#samples.length} more`)}\n`);
    }
  }
}

function recipientsText({ recipients }: MessageDraft): string {
  const [first, ...more] = recipients;
  const text = printable(first?.forwardPath ?? "");
  return more.length === 0 ? text : `${text} +${more.length}`;
}
