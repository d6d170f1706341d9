/** Postfix's own load tools around a server: a source of mail and a sink that counts. */
import { findPeer, freePort, runPeer, waitForPort } from "./peers.ts";

/** smtp-sink does not stay root. */
const SINK_USER = Deno.uid() === 0 ? ["-u", "nobody"] : [];

/** Sends `messages` of `sizeBytes` over `sessions` connections; returns the seconds it took. */
export async function runSource(
  { port, messages, sessions, sizeBytes }: {
    port: number;
    messages: number;
    sessions: number;
    sizeBytes: number;
  },
): Promise<number> {
  const startedAt = performance.now();
  const { code, stderr } = await runPeer("smtp-source", {
    args: [
      "-d", // keep connections
      ...["-s", `${sessions}`, "-m", `${messages}`, "-l", `${sizeBytes}`],
      ...["-f", "sender@source.test", "-t", "user@sink.test"],
      `127.0.0.1:${port}`,
    ],
  });
  if (code !== 0) throw new Error(`smtp-source: ${stderr}`);
  return (performance.now() - startedAt) / 1000;
}

/** A running smtp-sink, or one that stands in for it. */
export interface CountingSink extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Resolves when it has taken `count` messages since it started. */
  waitForMessages(count: number): Promise<void>;
}

/** Starts an smtp-sink that tells how many messages it took. */
export async function startCountingSink(): Promise<CountingSink> {
  const port = freePort();
  const child = new Deno.Command(findPeer("smtp-sink") ?? "smtp-sink", {
    args: ["-c", "-m", "5000", ...SINK_USER, `127.0.0.1:${port}`, "1000"],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const counter = new MessageCounter();
  const reading = counter.read(child.stdout);
  await waitForPort(port);
  return {
    port,
    pid: child.pid,
    waitForMessages: (count) => counter.reach(count),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await Promise.all([child.status, reading]);
    },
  };
}

/** Follows the counters that smtp-sink prints: `sess=1 quit=0 mesg=42`, each ended by CR. */
export class MessageCounter {
  #count = 0;
  #rest = "";
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#rest = (this.#rest + decoder.decode(chunk)).slice(-200);
      const last = [...this.#rest.matchAll(/mesg=(\d+)\s/g)].at(-1);
      if (last !== undefined) this.#set(Number(last[1]));
    }
  }

  async reach(count: number): Promise<void> {
    if (this.#count >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  #set(count: number): void {
    this.#count = count;
    for (const waiting of this.#waiting) if (waiting.count <= count) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => waiting.count > count);
  }
}
