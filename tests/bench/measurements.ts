/** What is measured of each server. Each measurement starts a server of its own. */
import { freePort, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { memoryStats, treeStats } from "../support/process_stats.ts";
import { runSource, startCountingSink } from "../support/load.ts";
import type { Contender, RunningServer } from "./contender.ts";
import { messageBody, percentile } from "./figures.ts";
import type { Figures } from "./figures.ts";

const SIZE_BYTES = 2048;
const SESSIONS = 20;
const LARGE_BYTES = 100 * 1024 * 1024;
const WARM_UP_SHARE = 0.1;

/** Accepting into the queue while the next hop is away. */
export async function measureAccept(contender: Contender): Promise<Figures> {
  await using server = await contender.start({ nextHopPort: freePort() });
  const load = { port: server.port, sessions: SESSIONS, sizeBytes: SIZE_BYTES };
  const messages = contender.messages;
  await runSource({ ...load, messages: messages * WARM_UP_SHARE });
  const before = await treeStats(...server.pids);
  const seconds = await runSource({ ...load, messages });
  const after = await treeStats(...server.pids);
  return {
    messages_per_second: messages / seconds,
    cpu_ms_per_message: (after.cpuMs - before.cpuMs) / messages,
  };
}

/** One session, one message at a time: final dot to 250, beside what the disk took meanwhile. */
export async function measureLatency(contender: Contender): Promise<Figures> {
  await using sink = await startCountingSink();
  await using server = await contender.start({ nextHopPort: sink.port });
  await using disk = await openDiskProbe();
  using client = await PlainClient.greet(server.port);
  const times: number[] = [];
  const diskTimes: number[] = [];
  for (let index = -200; index < 1000; index++) { // the first ones warm up
    const timeMs = await dotToReplyMs(client);
    if (index < 0) continue;
    times.push(timeMs);
    if (index % 4 === 0) diskTimes.push(disk.syncMs());
  }
  return {
    median_ms: percentile(times, 0.5),
    p99_ms: percentile(times, 0.99),
    fsync_median_ms: percentile(diskTimes, 0.5),
    fsync_p99_ms: percentile(diskTimes, 0.99),
  };
}

async function dotToReplyMs(client: PlainClient): Promise<number> {
  const data = messageBody(SIZE_BYTES);
  const result = await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
  if (result.reply.code !== 250 || result.dotToReplyMs === null) {
    throw new Error(`refused: ${result.reply.code} ${result.reply.lines.join(" ")}`);
  }
  return result.dotToReplyMs;
}

/** Sessions that said EHLO and then nothing. */
export async function measureIdle(contender: Contender): Promise<Figures> {
  await using server = await contender.start({ nextHopPort: freePort() });
  const clients: PlainClient[] = [];
  try {
    clients.push(await PlainClient.greet(server.port));
    const before = await treeStats(...server.pids);
    while (clients.length < contender.idleSessions) {
      clients.push(await PlainClient.greet(server.port));
    }
    const after = await treeStats(...server.pids);
    return {
      sessions: clients.length,
      kib_per_session: (after.proportionalKib - before.proportionalKib) / (clients.length - 1),
      total_mib: after.proportionalKib / 1024,
    };
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
}

/** One message of 100 MiB in and out. */
export async function measureLarge(contender: Contender): Promise<Figures> {
  await using sink = await startCountingSink();
  await using server = await contender.start({ nextHopPort: sink.port });
  using client = await PlainClient.greet(server.port);
  const data = messageBody(LARGE_BYTES);
  const startedAt = performance.now();
  const { reply } = await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
  if (reply.code !== 250) throw new Error(`refused: ${reply.code} ${reply.lines.join(" ")}`);
  const acceptedMs = performance.now() - startedAt;
  await sink.waitForMessages(1);
  const totalMs = performance.now() - startedAt;
  return {
    accepted_mib_per_second: LARGE_BYTES / 1024 / 1024 / (acceptedMs / 1000),
    relayed_mib_per_second: LARGE_BYTES / 1024 / 1024 / (totalMs / 1000),
    ...await peakOf({ contender, server }),
  };
}

/** The peak of a server that is one process; that of many processes is not their sum. */
async function peakOf(
  { contender, server }: { contender: Contender; server: RunningServer },
): Promise<Figures> {
  if (contender.name !== "posthouse") return {};
  return { peak_resident_mib: (await memoryStats(server.pids[0])).peakResidentKib / 1024 };
}

/** What the disk takes to make 2 KiB durable, without any server. */
export async function measureFsync(): Promise<Figures> {
  await using disk = await openDiskProbe();
  const times = Array.from({ length: 500 }, () => disk.syncMs());
  return { median_ms: percentile(times, 0.5), p99_ms: percentile(times, 0.99) };
}

/** Writes 2 KiB to a file and makes them durable. */
interface DiskProbe extends AsyncDisposable {
  /** How long it took this time. */
  syncMs(): number;
}

async function openDiskProbe(): Promise<DiskProbe> {
  const folder = await tempFolder();
  const file = await Deno.open(`${folder.path}/file`, { create: true, write: true });
  const data = messageBody(SIZE_BYTES);
  return {
    syncMs: () => {
      const startedAt = performance.now();
      file.writeSync(data);
      file.syncSync();
      return performance.now() - startedAt;
    },
    [Symbol.asyncDispose]: async () => {
      file.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What source and sink reach without a server between them. */
export async function measureTools(): Promise<Figures> {
  await using sink = await startCountingSink();
  const messages = 20_000;
  const load = { port: sink.port, sessions: SESSIONS, sizeBytes: SIZE_BYTES };
  return { messages_per_second: messages / await runSource({ ...load, messages }) };
}
