/**
 * How fast the SQLite store takes and settles messages of 2 KiB, and what it costs.
 *
 *     deno run --allow-read --allow-write tests/bench/store_bench.ts [--seconds=2]
 */
import { parseArgs } from "@std/cli/parse-args";
import type { QueueStore } from "../../src/queue/store.ts";
import { openSqliteStore } from "../../src/queue/sqlite/store.ts";
import { messageOf, NOW_MS, settlementOf } from "../queue/messages.ts";

const BODY = new Uint8Array(2_048).fill(65);
const DOMAINS = 200;

interface Figures {
  readonly name: string;
  readonly producers: number;
  readonly perSecond: number;
  /** Processor time of all threads for each operation. */
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The longest time the event loop stood still. */
  readonly stallMs: number;
}

type Operation = (store: QueueStore, number: number) => Promise<void>;

const put: Operation = (store, number) => store.put(benchMessage(number));

const putAndSettle: Operation = async (store, number) => {
  await store.put(benchMessage(number));
  await store.settle(settlementOf(number, {
    recipients: [{
      index: 0,
      disposition: { kind: "final", state: "delivered" },
      reply: "250 2.0.0 Ok: queued as 4XyZ12345",
    }],
    timeline: [{
      atMs: NOW_MS,
      kind: "attempt",
      recipients: [0],
      detail: { transport: "mx", remote: "mx.dest.example[192.0.2.9]:25", durationMs: 12 },
    }],
  }));
};

function benchMessage(number: number) {
  return messageOf(number, {
    to: [`user${number * 7919 % 100_003}@dest${number % DOMAINS}.example`],
    place: { kind: "inline", bytes: BODY },
    lease: { owner: "node-a", untilMs: NOW_MS + 600_000 },
  });
}

async function measure(
  name: string,
  { run, producers, seconds }: { run: Operation; producers: number; seconds: number },
): Promise<Figures> {
  const folder = await Deno.makeTempDir({ prefix: "posthouse-bench-" });
  try {
    await using store = await openSqliteStore({ folder });
    let number = 0;
    const latencies: number[] = [];
    const produce = async (untilMs: number): Promise<void> => {
      while (performance.now() < untilMs) {
        const startMs = performance.now();
        await run(store, number++);
        latencies.push(performance.now() - startMs);
      }
    };
    const all = (untilMs: number) =>
      Promise.all(Array.from({ length: producers }, () => produce(untilMs)));
    await all(performance.now() + 300);
    latencies.length = 0;
    const stall = watchStalls();
    const cpuStart = cpuMicros();
    const startMs = performance.now();
    await all(startMs + seconds * 1_000);
    const elapsedMs = performance.now() - startMs;
    const count = latencies.length;
    latencies.sort((a, b) => a - b);
    return {
      ...{ name, producers, stallMs: round(stall()) },
      perSecond: Math.round(count / elapsedMs * 1_000),
      cpuMicros: Math.round((cpuMicros() - cpuStart) / count),
      p50Ms: round(latencies[Math.floor(count * 0.5)] ?? 0),
      p99Ms: round(latencies[Math.floor(count * 0.99)] ?? 0),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** User and system time of this process, all threads (proc(5), 10 ms ticks). */
function cpuMicros(): number {
  const stat = Deno.readTextFileSync("/proc/self/stat");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function watchStalls(): () => number {
  let longestMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs - 5);
    lastMs = nowMs;
  }, 5);
  return () => {
    clearInterval(timer);
    return longestMs;
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

const { seconds: secondsText = "2" } = parseArgs(Deno.args, { string: ["seconds"] });
const seconds = Number(secondsText);
const figures: Figures[] = [];
for (const producers of [1, 20, 100]) {
  figures.push(await measure("put", { run: put, producers, seconds }));
  figures.push(await measure("put+settle", { run: putAndSettle, producers, seconds }));
}
// deno-lint-ignore no-console -- the figures are what it is for
console.table(figures);
