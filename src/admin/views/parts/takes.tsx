import { formatDuration } from "../../../observe/quantities.ts";
import type { Latency } from "../../ports.ts";

/** What attempts take: the typical one, and on a closer look the slow ones. */
export function Takes({ latency }: { latency: Latency | null }) {
  if (latency === null) return <span class="faint">–</span>;
  const { medianMs, p95Ms, attempts } = latency;
  const slow = `95 % take at most ${formatDuration(p95Ms)}; last ${attempts} attempts`;
  return (
    <span title={slow}>
      {formatDuration(medianMs)}
      <span class="sr-only">, {slow}</span>
    </span>
  );
}
