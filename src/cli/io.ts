/** Everything a command reads and writes, as one value, so that tests can run it in-process. */
export interface CliIo {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** An environment variable; undefined when it is not set. */
  env(name: string): string | undefined;
  /** Writes to standard output: what was asked for. */
  out(text: string): void;
  /** Writes to standard error: problems, progress and questions. */
  err(text: string): void;
  /** Writes log lines to standard output; a promise means that its reader is slow. */
  log(bytes: Uint8Array): void | Promise<void>;
  readonly stdin: CliInput;
  readonly terminal: TerminalFacts;
  /** The name of this machine. */
  hostname(): string;
  /**
   * Reads a file of text.
   *
   * @throws Deno.errors.NotFound and others.
   */
  readTextFile(path: string): Promise<string>;
  /** Reads a file. Throws as `readTextFile`. */
  readFile(path: string): Promise<Uint8Array>;
  /** Calls `listener` at each of these signals until the returned function is called. */
  onSignal(signals: readonly Deno.Signal[], listener: (signal: Deno.Signal) => void): () => void;
  /**
   * Calls `listener` with the reason of each promise that was rejected and that nobody handled, until
   * the returned function is called; without a listener that ends the process.
   */
  onDefect(listener: (reason: unknown) => void): () => void;
}

/** Standard input. */
export interface CliInput {
  /** All of it. */
  readAll(): Promise<Uint8Array>;
  /** One line without its end; null at the end of the input. */
  readLine(): Promise<string | null>;
  /**
   * A line typed at a terminal that does not show it; null where it was given up. `ask` is called
   * when the terminal has stopped showing what is typed.
   */
  readSecret(ask: () => void): Promise<string | null>;
  /**
   * Calls `listener` with each key typed at a terminal, which does not show them, until the
   * returned function is called. Without a terminal nothing is read.
   */
  onKey(listener: (key: string) => void): () => void;
}

/** What stands at the other ends of the standard streams. */
export interface TerminalFacts {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Columns of the terminal; Infinity when standard output is none. */
  columns(): number;
  /** Rows of the terminal; Infinity when standard output is none. */
  rows(): number;
}

/** How a command ended; the process's exit status. */
export type ExitCode = typeof EXIT[keyof typeof EXIT];

/** Exit statuses. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Writes a value as JSON that people can read too. */
export function writeJson(io: CliIo, value: unknown): void {
  io.out(`${jsonText(value, 2)}\n`);
}

/** JSON that is the same for a program, and in which nothing can move the cursor of a terminal. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    UNESCAPED,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

// What JSON leaves as it is of the characters that `printable` takes out.
const UNESCAPED = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
