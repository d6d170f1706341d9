/**
 * Other people's programs as test peers: finding them, running them, and ending exactly the
 * processes that were started.
 */

const EXTRA_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
const MAX_OUTPUT_BYTES = 1 << 20;

/** The absolute path of a program in PATH or the system's sbin folders; null when not there. */
export function findPeer(name: string): string | null {
  const folders = (Deno.env.get("PATH") ?? "").split(":").concat(EXTRA_FOLDERS);
  for (const folder of folders) {
    if (folder === "") continue;
    const path = `${folder}/${name}`;
    if (isExecutable(path)) return path;
  }
  return null;
}

/**
 * Whether a test that needs this program shall run. On a developer's machine a missing program
 * skips the test; under `CI=true` nothing is skipped, and a missing program fails the test.
 */
export function havePeer(name: string): boolean {
  return Deno.env.get("CI") === "true" || findPeer(name) !== null;
}

/** How peers that need a package beside their own for TLS say whether they have it. */
const TLS_QUESTIONS: Readonly<Record<string, { args: readonly string[]; answer: RegExp }>> = {
  curl: { args: ["--version"], answer: /^Protocols:.*\bsmtps\b/m },
  msmtp: { args: ["--version"], answer: /^TLS\/SSL library: (?!none)/m },
  openssl: { args: ["version"], answer: /^OpenSSL/m },
  python3: { args: ["-c", "import ssl; print(ssl.OPENSSL_VERSION)"], answer: /SSL/ },
  swaks: { args: ["--support"], answer: /^=== TLS supported/m },
};

/** As `havePeer`, for a test in which the program speaks TLS, which not every build of it can. */
export async function haveTlsPeer(name: string): Promise<boolean> {
  if (Deno.env.get("CI") === "true") return true;
  const question = TLS_QUESTIONS[name];
  if (question === undefined) throw new Error(`nothing is known of TLS in ${name}`);
  if (findPeer(name) === null) return false;
  const { stdout } = await runPeer(name, { args: question.args });
  return question.answer.test(stdout);
}

/** How to run a peer. */
export interface PeerOptions {
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to the peer's standard input, which is then closed. */
  readonly stdin?: Uint8Array | string;
}

/** What a peer that ran to its end left behind. */
export interface PeerResult {
  readonly code: number;
  /** The signal that ended it. */
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running peer. Disposing of it kills it, by its id, and waits until it is gone. */
export interface Peer extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when the process ended, whatever the reason. */
  readonly ended: Promise<PeerResult>;
  /** What it wrote so far: its first MiB on each stream. */
  output(): { readonly stdout: string; readonly stderr: string };
  /** Resolves when `pattern` stands in the output; rejects when the process ends, or is late. */
  waitForOutput(pattern: RegExp, options?: { timeoutMs?: number }): Promise<RegExpExecArray>;
  /** Sends a signal; does nothing when the process is gone. */
  kill(signal: Deno.Signal): void;
}

/**
 * Starts a program, by name or path.
 *
 * @throws Error when it is not installed.
 */
export function startPeer(name: string, options: PeerOptions = {}): Peer {
  const path = name.includes("/") ? name : findPeer(name);
  if (path === null) throw new Error(`${name} is not installed`);
  const child = new Deno.Command(path, {
    args: [...options.args ?? []],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...options.env },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new RunningPeer({ name, child, stdin: options.stdin });
}

/** Runs a program to its end. A status other than 0 is for the caller to judge. */
export async function runPeer(name: string, options: PeerOptions = {}): Promise<PeerResult> {
  await using peer = startPeer(name, options);
  return await peer.ended;
}

/** Ports below those that systems give to clients, who could take one before a program has it. */
const FIRST_PORT = 12_000;
const LAST_PORT = 31_999;

/** A TCP port of 127.0.0.1 that nothing listens on, for programs that cannot be told to choose. */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/**
 * Resolves as soon as something accepts connections at the port.
 *
 * @throws Error when nothing does within `timeoutMs`.
 */
export async function waitForPort(
  port: number,
  { hostname = "127.0.0.1", timeoutMs = 20_000 }: { hostname?: string; timeoutMs?: number } = {},
): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  for (let delayMs = 2;; delayMs = Math.min(delayMs * 2, 100)) {
    try {
      (await Deno.connect({ hostname, port })).close();
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) {
        throw new Error(`nothing listens on ${hostname}:${port} after ${timeoutMs} ms`, {
          cause: error,
        });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

/** A folder that is removed with all its contents when disposed of. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string;
}

/** Makes an empty folder for one test. */
export async function tempFolder(): Promise<TempFolder> {
  const path = await Deno.makeTempDir({ prefix: "posthouse-test-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

class RunningPeer implements Peer {
  readonly pid: number;
  readonly ended: Promise<PeerResult>;
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #stdout = new OutputText();
  readonly #stderr = new OutputText();
  #hasEnded = false;
  #onOutput: (() => void)[] = [];

  constructor(
    { name, child, stdin }: {
      name: string;
      child: Deno.ChildProcess;
      stdin: Uint8Array | string | undefined;
    },
  ) {
    this.#name = name;
    this.#child = child;
    this.pid = child.pid;
    this.ended = this.#run(stdin);
    this.ended.catch(() => {}); // told to whoever awaits `ended`
  }

  output(): { stdout: string; stderr: string } {
    return { stdout: this.#stdout.text, stderr: this.#stderr.text };
  }

  async waitForOutput(pattern: RegExp, { timeoutMs = 60_000 } = {}): Promise<RegExpExecArray> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, timeoutMs);
    try {
      for (;;) {
        const match = pattern.exec(this.#stdout.text) ?? pattern.exec(this.#stderr.text);
        if (match !== null) return match;
        if (this.#hasEnded || isLate) throw this.#withoutOutput(pattern);
        await new Promise<void>((resolve) => this.#onOutput.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  kill(signal: Deno.Signal): void {
    if (this.#hasEnded) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // TypeError: it has ended meanwhile
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.ended;
  }

  async #run(stdin: Uint8Array | string | undefined): Promise<PeerResult> {
    const [status] = await Promise.all([
      this.#child.status,
      this.#collect(this.#child.stdout, this.#stdout),
      this.#collect(this.#child.stderr, this.#stderr),
      stdin === undefined ? undefined : feed(this.#child.stdin, stdin),
    ]);
    this.#hasEnded = true;
    this.#wake();
    return { code: status.code, signal: status.signal, ...this.output() };
  }

  async #collect(stream: ReadableStream<Uint8Array>, into: OutputText): Promise<void> {
    for await (const chunk of stream) {
      into.add(chunk);
      this.#wake();
    }
  }

  #wake(): void {
    const waiting = this.#onOutput;
    this.#onOutput = [];
    for (const resolve of waiting) resolve();
  }

  #withoutOutput(pattern: RegExp): Error {
    const what = this.#hasEnded ? "ended" : "runs";
    const tail = `${this.#stdout.text.slice(-1000)}\n${this.#stderr.text.slice(-1000)}`;
    return new Error(`${this.#name} ${what} without ${pattern}: ${tail}`);
  }
}

/** Decodes a stream's first `MAX_OUTPUT_BYTES` and forgets the rest. */
class OutputText {
  text = "";
  readonly #decoder = new TextDecoder();

  add(chunk: Uint8Array): void {
    if (this.text.length < MAX_OUTPUT_BYTES) this.text += this.#decoder.decode(chunk, STREAM);
  }
}

const STREAM = { stream: true } as const;

async function feed(stream: WritableStream<Uint8Array>, input: Uint8Array | string): Promise<void> {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const writer = stream.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // it did not read to the end
  }
}

/** Whether there is a file at this path that somebody may run. */
export function isExecutable(path: string): boolean {
  try {
    const info = Deno.statSync(path);
    return info.isFile && (info.mode === null || (info.mode & 0o111) !== 0);
  } catch {
    return false;
  }
}
