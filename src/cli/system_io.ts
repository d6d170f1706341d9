import { concatBytes } from "../base/bytes.ts";
import { readHiddenLine } from "./hidden_line.ts";
import type { CliInput, CliIo, TerminalFacts } from "./io.ts";

/** The streams, environment and signals of this process. */
export function systemIo(): CliIo {
  return {
    args: Deno.args,
    env: (name) => Deno.env.get(name),
    out: (text) => writeText(Deno.stdout, text),
    err: (text) => writeText(Deno.stderr, text),
    log: writeLog,
    stdin: systemInput,
    terminal: systemTerminal(),
    hostname: () => Deno.hostname(),
    readTextFile: (path) => Deno.readTextFile(path),
    readFile: (path) => Deno.readFile(path),
    onSignal,
    onDefect,
  };
}

const systemInput: CliInput = {
  async readAll() {
    const chunks: Uint8Array[] = [];
    for await (const chunk of Deno.stdin.readable) chunks.push(chunk);
    return concatBytes(chunks);
  },
  async readLine() {
    const buffer = new Uint8Array(4096); // a terminal hands over one line at a time
    const lengthBytes = await Deno.stdin.read(buffer);
    if (lengthBytes === null) return null;
    return new TextDecoder().decode(buffer.subarray(0, lengthBytes)).replace(/\r?\n[^]*$/, "");
  },
  readSecret: readHiddenLine,
  onKey,
};

function systemTerminal(): TerminalFacts {
  return {
    stdin: Deno.stdin.isTerminal(),
    stdout: Deno.stdout.isTerminal(),
    stderr: Deno.stderr.isTerminal(),
    // A terminal without a size, as some test tools make, has 0 columns.
    columns: () => Deno.stdout.isTerminal() ? Deno.consoleSize().columns || 80 : Infinity,
    rows: () => Deno.stdout.isTerminal() ? Deno.consoleSize().rows || 24 : Infinity,
  };
}

function onKey(listener: (key: string) => void): () => void {
  if (!Deno.stdin.isTerminal()) return () => {};
  let isOver = false;
  const read = async (): Promise<void> => {
    const buffer = new Uint8Array(64); // one key; those of a cursor are a few octets
    while (!isOver) {
      const lengthBytes = await Deno.stdin.read(buffer);
      if (lengthBytes === null || isOver) return;
      listener(new TextDecoder().decode(buffer.subarray(0, lengthBytes)));
    }
  };
  Deno.stdin.setRaw(true, { cbreak: true }); // Ctrl-C stays a signal
  read().catch(() => {}); // the terminal went away; its signal ends the command
  return () => {
    isOver = true;
    Deno.stdin.setRaw(false);
  };
}

/** Writes all of `text`; a reader that left early (`| head`) is no failure of the command. */
function writeText(stream: { writeSync(data: Uint8Array): number }, text: string): void {
  let rest: Uint8Array = new TextEncoder().encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function writeLog(bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    rest = rest.subarray(await Deno.stdout.write(rest));
  }
}

function onSignal(
  signals: readonly Deno.Signal[],
  listener: (signal: Deno.Signal) => void,
): () => void {
  const listeners = signals.map((signal) => ({ signal, run: () => listener(signal) }));
  for (const { signal, run } of listeners) Deno.addSignalListener(signal, run);
  return () => {
    for (const { signal, run } of listeners) Deno.removeSignalListener(signal, run);
  };
}

function onDefect(listener: (reason: unknown) => void): () => void {
  const onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    listener(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  return () => globalThis.removeEventListener("unhandledrejection", onRejection);
}
