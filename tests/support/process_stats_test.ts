import { assert, assertEquals } from "@std/assert";
import { startPeer } from "./peers.ts";
import { memoryStats, resetPeak, treeStats } from "./process_stats.ts";

Deno.test("process stats: time and memory of a tree, ended children included", async () => {
  const busy = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";
  await using peer = startPeer("sh", {
    args: ["-c", `sh -c '${busy}'; sleep 600 & echo ready; wait`],
  });
  await peer.waitForOutput(/ready/);
  const stats = await treeStats(peer.pid);
  assertEquals(stats.processes, 2);
  assert(stats.cpuMs >= 10, `${stats.cpuMs} ms`);
  assert(stats.proportionalKib > 50, `${stats.proportionalKib} KiB`);
  await endChildren(peer.pid);
});

Deno.test("process stats: resident memory and its peak", async () => {
  await using peer = startPeer("sh", { args: ["-c", "echo ready; exec sleep 600"] });
  await peer.waitForOutput(/ready/);
  await resetPeak(peer.pid);
  const { residentKib, peakResidentKib } = await memoryStats(peer.pid);
  assert(residentKib > 0 && peakResidentKib >= residentKib);
});

/** Ends the `sleep` that would outlive its shell. */
async function endChildren(pid: number): Promise<void> {
  await new Deno.Command("sh", {
    args: ["-c", `kill $(cat /proc/${pid}/task/${pid}/children)`],
  }).output();
}
