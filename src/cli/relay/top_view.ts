import type { InferResponseType } from "hono/client";
import type { AdminClient } from "../../admin/client.ts";
import { formatSize } from "../../observe/quantities.ts";
import type { Style } from "../style.ts";
import { formatTable } from "../table.ts";
import { counted, cut, printable, relativeTime } from "../text.ts";
import { ask } from "./ask.ts";
import {
  type Destination,
  destinationColumns,
  domainsText,
  type Shape,
  type Transport,
  transportColumns,
} from "./ways.ts";

/** What `top` shows. */
export interface TopFacts {
  readonly status: InferResponseType<AdminClient["status"]["$get"], 200>;
  /** The last minutes, oldest first, the one under way last. */
  readonly minutes: InferResponseType<AdminClient["activity"]["$get"], 200>["minutes"];
  readonly transports: readonly Transport[];
  readonly destinations: readonly Destination[];
  readonly destinationCount: number;
  readonly shape: Shape;
}

const MINUTES = 60;
const DESTINATIONS = 100;
const DOMAINS = 10;
/** Mail that waits for longer is worth a look. */
const OLD_MS = 3_600_000;

/** Asks the relay for everything that `top` shows. */
export async function topFacts(client: AdminClient): Promise<TopFacts> {
  const [status, { minutes }, { items: transports }, destinations, shape] = await Promise.all([
    ask(client.status.$get()),
    ask(client.activity.$get({ query: { minutes: String(MINUTES) } })),
    ask(client.transports.$get()),
    ask(client.destinations.$get({ query: { limit: String(DESTINATIONS) } })),
    ask(client.queue.shape.$get({ query: { limit: String(DOMAINS) } })),
  ]);
  const { items, total } = destinations;
  return { status, minutes, transports, destinations: items, destinationCount: total, shape };
}

/** One picture of the relay, as lines without their ends, none wider than `width`. */
export function topLines(
  facts: TopFacts,
  { width, style }: { width: number; style: Style },
): string[] {
  const { status: { nowMs }, transports, destinations, destinationCount } = facts;
  const options = { width, style };
  const hidden = destinationCount - destinations.length;
  return [
    ...summaryLines(facts, style).map((line) => line.trimEnd()),
    "",
    ...activityLines(facts, options),
    "",
    ...linesOf(formatTable(transports, { ...options, columns: transportColumns(nowMs, style) })),
    "",
    ...destinations.length === 0
      ? [style.dim("No destination is in use.")]
      : linesOf(formatTable(destinations, {
        ...options,
        columns: destinationColumns(nowMs, style),
      })),
    ...hidden > 0 ? [style.dim(`${hidden} more`)] : [],
    ...domainsText(facts.shape, options).trimEnd().split("\n"),
  ];
}

/** What is not as it should be, the worst first; that it is healthy when nothing is. */
function conditionLine({ status, transports, destinations }: TopFacts, style: Style): string {
  const { nowMs, queue: { oldestReceivedAtMs: oldestMs }, health } = status;
  const trouble = health.filter(({ ok }) => !ok).map(({ detail }) => printable(detail));
  if (trouble.length > 0) return style.red(trouble.join(" "));
  const down = transports.filter(({ state }) => state === "down" || state === "probing");
  const away = destinations.filter(({ state }) => state === "down" || state === "probing");
  const warnings = [
    ...down.map(({ name }) => `Transport ${name} is down.`),
    ...away.length === 0 ? [] : [`${counted(away.length, "destination")} down.`],
    ...oldestMs === null || nowMs - oldestMs < OLD_MS
      ? []
      : [`The oldest mail came ${relativeTime(oldestMs, nowMs)}.`],
  ];
  return warnings.length === 0 ? style.green("Healthy") : style.yellow(warnings.join(" "));
}

function summaryLines(facts: TopFacts, style: Style): string[] {
  const { status } = facts;
  const { info, nowMs, queue } = status;
  const { oldestReceivedAtMs: oldest, nextDueAtMs: next, recipients } = queue;
  const sessions = info.listeners.reduce((sum, listener) => sum + listener.sessions, 0);
  const since = relativeTime(info.startedAtMs, nowMs).replace(" ago", "");
  return [
    `${style.bold(printable(info.hostname))} Posthouse ${info.version}, up ${since}, ` +
    counted(sessions, "session"),
    conditionLine(facts, style),
    `${counted(queue.liveMessages, "message")} in the queue: ` +
    `${counted(recipients.queued ?? 0, "recipient")} queued, ${recipients.held ?? 0} held` +
    `${oldest === null ? "" : `, oldest ${relativeTime(oldest, nowMs)}`}` +
    `${next === null ? "" : `, next due ${relativeTime(next, nowMs)}`}`,
  ];
}

const COUNTS = ["accepted", "refused", "delivered", "deferred", "bounced"] as const;

function activityLines(
  { minutes }: TopFacts,
  { width, style }: { width: number; style: Style },
): string[] {
  const current = minutes.at(-1);
  const last = minutes.at(-2);
  const sum = (key: typeof COUNTS[number] | "acceptedBytes", from: TopFacts["minutes"]): number =>
    from.reduce((total, minute) => total + minute[key], 0);
  const rows = [
    ["this minute", current === undefined ? [] : [current]],
    ["last minute", last === undefined ? [] : [last]],
    ["last hour", minutes],
  ] as const;
  return linesOf(formatTable(rows, {
    ...{ width, style },
    columns: [
      { header: "", cell: ([name]) => name },
      ...COUNTS.map((key) => ({
        header: key.toUpperCase(),
        cell: ([, from]: typeof rows[number]) => sum(key, [...from]).toLocaleString("en"),
        align: "right" as const,
      })),
      {
        header: "IN",
        cell: ([, from]) => formatSize(sum("acceptedBytes", [...from])),
        align: "right",
      },
    ],
  }));
}

function linesOf(table: string): string[] {
  return table.trimEnd().split("\n");
}

/** Lines that fill a terminal of `rows` rows, the last one telling how to leave. */
export function screenOf(
  lines: readonly string[],
  { rows, width, style }: { rows: number; width: number; style: Style },
): string {
  const room = Math.max(1, rows - 1);
  const shown = lines.length > room
    ? [...lines.slice(0, room - 1), style.dim(`… ${lines.length - room + 1} more lines`)]
    : lines;
  const fill = Array<string>(room - shown.length).fill("");
  const foot = style.dim(cut("q quits", width));
  // Each line clears what stood there before; the screen does not flicker as it would when cleared.
  return `\x1b[H${[...shown, ...fill].map((line) => `${line}\x1b[K\r\n`).join("")}${foot}\x1b[K`;
}
