import { COMMANDS } from "../../src/cli/commands.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import type { CliIo } from "../../src/cli/io.ts";

/** How long a test waits for a command's output before it fails. */
const WAIT_MS = 60_000;

/** What surrounds a command in a test. */
export interface World {
  readonly env?: Readonly<Record<string, string>>;
  /** Files by path; others are read from the disk. */
  readonly files?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly stdin?: string;
  /** Columns of the terminals, other than 100. */
  readonly columns?: number;
  /** Streams that are terminals, of 100 columns and 30 rows. */
  readonly terminals?: readonly ("stdin" | "stdout" | "stderr")[];
}

/** What a command left behind. */
export interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that was started in this process. */
export interface Started {
  readonly finished: Promise<Finished>;
  /** Acts as if the process got a signal. */
  signal(name: Deno.Signal): void;
  /** Acts as if nobody had handled a rejection. */
  defect(reason: unknown): void;
  /** Types a key. */
  key(key: string): void;
  /** Resolves when `pattern` stands in standard output. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it stands in standard error. */
  waitForErrors(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Runs `posthouse` with these arguments in this process. */
export function run(args: readonly string[], world: World = {}): Promise<Finished> {
  return start(args, world).finished;
}

/** Starts `posthouse` with these arguments in this process. */
export function start(args: readonly string[], world: World = {}): Started {
  const io = new TestIo(args, world);
  return {
    finished: dispatch(io, COMMANDS).then((code) => ({ code, ...io.output })),
    signal: (name) => io.signal(name),
    defect: (reason) => io.defect(reason),
    key: (key) => io.key(key),
    waitForOutput: (pattern) => io.waitFor("out", pattern),
    waitForErrors: (pattern) => io.waitFor("err", pattern),
  };
}

class TestIo implements CliIo {
  readonly args: readonly string[];
  readonly output = { out: "", err: "" };
  readonly #world: World;
  /** Lines of standard input that were not read yet. */
  readonly #lines: string[];
  readonly #listeners = new Set<(signal: Deno.Signal) => void>();
  readonly #keyListeners = new Set<(key: string) => void>();
  readonly #defectListeners = new Set<(reason: unknown) => void>();
  #onOutput: (() => void)[] = [];

  constructor(args: readonly string[], world: World) {
    this.args = args;
    this.#world = world;
    this.#lines = world.stdin?.split("\n") ?? [];
  }

  env = (name: string): string | undefined => this.#world.env?.[name];

  out = (text: string): void => this.#write("out", text);
  err = (text: string): void => this.#write("err", text);

  log = (bytes: Uint8Array): void => this.out(new TextDecoder().decode(bytes));

  readonly stdin = {
    readAll: () => Promise.resolve(new TextEncoder().encode(this.#world.stdin ?? "")),
    readLine: () => Promise.resolve(this.#lines.shift() ?? null),
    readSecret: (ask: () => void) => {
      ask();
      return Promise.resolve(this.#lines.shift() ?? null);
    },
    onKey: (listener: (key: string) => void) => {
      this.#keyListeners.add(listener);
      return () => void this.#keyListeners.delete(listener);
    },
  };

  get terminal() {
    const terminals = this.#world.terminals ?? [];
    return {
      stdin: terminals.includes("stdin"),
      stdout: terminals.includes("stdout"),
      stderr: terminals.includes("stderr"),
      columns: () => terminals.includes("stdout") ? this.#world.columns ?? 100 : Infinity,
      rows: () => terminals.includes("stdout") ? 30 : Infinity,
    };
  }

  hostname = (): string => "relay.example.net";

  readTextFile = (path: string): Promise<string> => {
    const text = this.#world.files?.[path];
    if (text !== undefined) return Promise.resolve(text);
    // The project's own folder may hold a config file; tests do not see it.
    if (!path.startsWith("/")) return Promise.reject(new Deno.errors.NotFound(path));
    return Deno.readTextFile(path);
  };

  readFile = async (path: string): Promise<Uint8Array> =>
    new TextEncoder().encode(await this.readTextFile(path));

  onSignal = (
    signals: readonly Deno.Signal[],
    listener: (signal: Deno.Signal) => void,
  ): () => void => {
    const wanted = (signal: Deno.Signal): void => {
      if (signals.includes(signal)) listener(signal);
    };
    this.#listeners.add(wanted);
    return () => void this.#listeners.delete(wanted);
  };

  onDefect = (listener: (reason: unknown) => void): () => void => {
    this.#defectListeners.add(listener);
    return () => void this.#defectListeners.delete(listener);
  };

  defect(reason: unknown): void {
    for (const listener of this.#defectListeners) listener(reason);
  }

  key(key: string): void {
    for (const listener of this.#keyListeners) listener(key);
  }

  signal(name: Deno.Signal): void {
    for (const listener of this.#listeners) listener(name);
  }

  #write(stream: "out" | "err", text: string): void {
    this.output[stream] += text;
    const waiting = this.#onOutput;
    this.#onOutput = [];
    for (const wake of waiting) wake();
  }

  async waitFor(stream: "out" | "err", pattern: RegExp): Promise<RegExpExecArray> {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#write(stream, "");
    }, WAIT_MS);
    try {
      for (;;) {
        const match = pattern.exec(this.output[stream]);
        if (match !== null) return match;
        if (isOver) {
          throw new Error(`Cannot see ${pattern} in the output, got ${this.output[stream]}`);
        }
        await new Promise<void>((resolve) => this.#onOutput.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
