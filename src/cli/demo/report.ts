import { formatDuration, formatSize } from "../../observe/quantities.ts";
import type { MessageDetail } from "../../queue/store.ts";
import type { CliIo } from "../io.ts";
import { timelineTable } from "../queue/timeline.ts";
import { styleOf } from "../style.ts";
import { formatTable } from "../table.ts";
import { counted } from "../text.ts";
import type { Destination } from "./destination.ts";
import type { Tally } from "./tally.ts";

/** What the demo came to. */
export interface DemoResults {
  /** Messages that the relay accepted, and their recipients. */
  readonly accepted: number;
  readonly recipients: number;
  /** Recipients reached. */
  readonly delivered: number;
  /** Recipients that were put off and tried again. */
  readonly retried: number;
  /** Recipients that could not be reached, and notifications about them. */
  readonly bounced: number;
  readonly notifications: number;
  /** Octets that reached the destination. */
  readonly deliveredBytes: number;
  /** Until the last message was accepted, and until the last one was done with. */
  readonly acceptedMs: number;
  readonly doneMs: number;
}

export function resultsOf(
  tally: Tally,
  { sentMs, doneMs, destination }: { sentMs: number; doneMs: number; destination: Destination },
): DemoResults {
  return {
    accepted: tally.messages,
    recipients: tally.recipients,
    delivered: tally.delivered,
    retried: tally.deferred,
    bounced: tally.bounced,
    notifications: tally.notifications,
    deliveredBytes: destination.taken().sizeBytes,
    acceptedMs: Math.round(sentMs),
    doneMs: Math.round(doneMs),
  };
}

/** Writes the results and the timeline of a deferred message for people. */
export function reportDemo(
  io: CliIo,
  { results, deferred }: { results: DemoResults; deferred: MessageDetail | null },
): void {
  const style = styleOf(io);
  const options = { width: io.terminal.columns(), style };
  io.out(formatTable(rowsOf(results), {
    ...options,
    columns: [
      { header: "WHAT", cell: ([what]) => what },
      { header: "COUNT", cell: ([, count]) => count, align: "right", mark: style.bold },
      { header: "NOTE", cell: ([, , note]) => note, minWidth: 10 },
    ],
  }));
  if (deferred === null) return;
  const { message, timeline } = deferred;
  io.out(`\n${style.bold(`What happened to ${message.id}`)}, ${message.summary.subject}\n`);
  io.out(timelineTable(timeline, options));
}

function rowsOf(results: DemoResults): (readonly [string, string, string])[] {
  const { accepted, acceptedMs, deliveredBytes, doneMs } = results;
  const rate = Math.round(accepted / Math.max(acceptedMs, 1) * 1000);
  return [
    ["accepted", String(accepted), `messages for ${counted(results.recipients, "recipient")}`],
    ["delivered", String(results.delivered), `recipients, ${formatSize(deliveredBytes)}`],
    ["retried", String(results.retried), "recipients that were deferred once"],
    [
      "bounced",
      String(results.bounced),
      `recipients, ${counted(results.notifications, "notification")}`,
    ],
    [
      "rate",
      `${rate}/s`,
      `accepted on disk in ${formatDuration(acceptedMs)}, ` +
      `all done after ${formatDuration(doneMs)}`,
    ],
  ];
}
