/**
 * What the kernel says of a process and its descendants (proc(5)). The runtime reads /proc only
 * with all permissions, so `cat` does it.
 */

const TICKS_PER_SECOND = 100; // USER_HZ of Linux, the same on every architecture in use

/** Times and memory of a process and all its descendants. */
export interface TreeStats {
  /** User and system time in milliseconds, that of descendants that ended included. */
  readonly cpuMs: number;
  /** Proportional set size in KiB: memory that processes share is divided among them. */
  readonly proportionalKib: number;
  readonly processes: number;
}

/** Memory of one process in KiB. */
export interface MemoryStats {
  readonly residentKib: number;
  /** The most it was since the process started, or since `resetPeak`. */
  readonly peakResidentKib: number;
}

interface StatLine {
  readonly pid: number;
  readonly parentPid: number;
  readonly cpuTicks: number;
}

/** Measures the trees below and including `pids`, together. */
export async function treeStats(...pids: readonly number[]): Promise<TreeStats> {
  const stats = (await shell("cat /proc/[0-9]*/stat 2>/dev/null")).split("\n")
    .filter((line) => line !== "").map(parseStat);
  const tree = pids.flatMap((pid) => descendants({ stats, pid }));
  const rollups = await shell(
    `cat ${tree.map((member) => `/proc/${member.pid}/smaps_rollup`).join(" ")} 2>/dev/null`,
  );
  return {
    cpuMs: tree.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) * 1000 / TICKS_PER_SECOND,
    proportionalKib: [...rollups.matchAll(/^Pss:\s+(\d+) kB$/gm)]
      .reduce((sum, match) => sum + Number(match[1]), 0),
    processes: tree.length,
  };
}

/** Measures the memory of one process. */
export async function memoryStats(pid: number): Promise<MemoryStats> {
  const status = await shell(`cat /proc/${pid}/status`);
  return {
    residentKib: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN),
    peakResidentKib: Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN),
  };
}

/** Makes the peak of `memoryStats` start again from what the process holds now. */
export async function resetPeak(pid: number): Promise<void> {
  await shell(`echo 5 > /proc/${pid}/clear_refs`);
}

function descendants({ stats, pid }: { stats: readonly StatLine[]; pid: number }): StatLine[] {
  const found = stats.filter((stat) => stat.pid === pid);
  for (const parent of found) { // grows while it is walked
    found.push(...stats.filter((stat) => stat.parentPid === parent.pid));
  }
  return found;
}

/** Fields 4 and 14 to 17 of /proc/PID/stat; the name in field 2 may hold spaces and brackets. */
function parseStat(line: string): StatLine {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ").map(Number);
  return {
    pid: parseInt(line, 10),
    parentPid: fields[1] ?? 0,
    cpuTicks: fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0),
  };
}

async function shell(command: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", command], stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}
