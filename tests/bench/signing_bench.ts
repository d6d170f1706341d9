/**
 * What signing costs: messages a second, processor time and the longest the event loop waited,
 * beside what OpenSSL needs for the bare signatures.
 * `deno run --allow-run=openssl --allow-env tests/bench/signing_bench.ts`; `--cpu-prof` profiles
 * the event loop.
 */
import process from "node:process";
import { setImmediate } from "node:timers";
import { Gate } from "../../src/base/gate.ts";
import { systemClock } from "../../src/base/clock.ts";
import { generateKey } from "../../src/signing/key.ts";
import { type DkimKey, readKeys } from "../../src/signing/keys.ts";
import { DkimSigner } from "../../src/signing/signer.ts";
import { messageOfSize } from "../support/sample_messages.ts";

const SESSIONS = 20;
const CHUNK_BYTES = 64 * 1024;
const TICK_MS = 1;

/** What one run came to. */
interface Run {
  readonly perSecond: number;
  /** Processor time of all threads. */
  readonly cpuMsEach: number;
  /** The longest time between two turns of the event loop beyond what was asked for. */
  readonly longestStallMs: number;
}

async function measure(
  signer: DkimSigner,
  { message, count }: { message: Uint8Array; count: number },
): Promise<Run> {
  const stall = watchLoop();
  const [cpu, startMs] = [process.cpuUsage(), performance.now()];
  let left = count;
  await Promise.all(Array.from({ length: Math.min(SESSIONS, count) }, async () => {
    while (left-- > 0) await signOne(signer, message);
  }));
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: count / tookMs * 1000,
    cpuMsEach: (user + system) / 1000 / count,
    longestStallMs: stall.end(),
  };
}

/** As a session would: chunk by chunk, others in between. */
async function signOne(signer: DkimSigner, message: Uint8Array): Promise<void> {
  const stream = signer.begin();
  for (let at = 0; at < message.length; at += CHUNK_BYTES) {
    stream.write(message.subarray(at, at + CHUNK_BYTES));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stream.finish();
}

function watchLoop(): { end(): number } {
  let [longestMs, lastMs] = [0, performance.now()];
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs - TICK_MS);
    lastMs = nowMs;
  }, TICK_MS);
  return {
    end(): number {
      clearInterval(timer);
      return longestMs;
    },
  };
}

function signerOf(types: readonly ("rsa" | "ed25519")[]): DkimSigner {
  const keys: readonly DkimKey[] = readKeys(types.map((type) => ({
    ...{ domain: "source.test", selector: type, key: generateKey({ type }), from: null },
  })));
  const gate = new Gate(navigator.hardwareConcurrency);
  return new DkimSigner({ keys, clock: systemClock, gate });
}

/** Bare signatures a second of one thread of OpenSSL; null where it is not installed. */
async function openSslRate(algorithm: string): Promise<number | null> {
  try {
    const args = ["speed", "-seconds", "1", "-mr", algorithm];
    const { stdout } = await new Deno.Command("openssl", { args, stderr: "null" }).output();
    // "+F2:2:2048:SIGNED:VERIFIED", "+F6:0:253:Ed25519:SIGNED:VERIFIED"
    const [, rate] = /^\+F[26]:.*?:([\d.]+):[\d.]+$/m.exec(new TextDecoder().decode(stdout)) ?? [];
    return rate === undefined ? null : Number(rate);
  } catch {
    return null;
  }
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const small = messageOfSize(2048);
const large = messageOfSize(50 * 1024 * 1024);
const RUNS: readonly [string, DkimSigner, Uint8Array, number][] = [
  ["2 KiB, Ed25519", signerOf(["ed25519"]), small, 10_000],
  ["2 KiB, RSA-2048", signerOf(["rsa"]), small, 500],
  ["2 KiB, both", signerOf(["rsa", "ed25519"]), small, 500],
  ["50 MiB, both", signerOf(["rsa", "ed25519"]), large, 1],
];

for (const [name, signer, message, count] of RUNS) {
  await measure(signer, { message, count: Math.ceil(count / 20) });
  const { perSecond, cpuMsEach, longestStallMs } = await measure(signer, { message, count });
  print(
    `${name.padEnd(16)} ${perSecond.toFixed(1).padStart(8)} messages/s ` +
      `${cpuMsEach.toFixed(3).padStart(9)} ms of processor each, ` +
      `event loop late by ${longestStallMs.toFixed(1)} ms at most`,
  );
}
for (const algorithm of ["rsa2048", "ed25519"]) {
  const rate = await openSslRate(algorithm);
  if (rate !== null) print(`OpenSSL, ${algorithm}: ${rate.toFixed(0)} signatures/s a core`);
}
