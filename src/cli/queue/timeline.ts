import { formatDuration } from "../../observe/quantities.ts";
import type { TimelineEntry } from "../../queue/store.ts";
import type { Style } from "../style.ts";
import { formatTable } from "../table.ts";
import { printable } from "../text.ts";

/** One line of a timeline; an attempt has one for each kind of outcome. */
interface Step {
  readonly atMs: number;
  readonly kind: string;
  readonly recipients: readonly number[];
  readonly text: string;
}

/** The steps in the life of a message, oldest first, as a table. */
export function timelineTable(
  timeline: readonly TimelineEntry[],
  { width, style }: { width: number; style: Style },
): string {
  return formatTable(timeline.flatMap(stepsOf), {
    width,
    style,
    columns: [
      { header: "TIME", cell: ({ atMs }) => new Date(atMs).toISOString() },
      { header: "STEP", cell: ({ kind }) => printable(kind), mark: (text) => markOf(style)(text) },
      { header: "FOR", cell: ({ recipients }) => rangesOf(recipients), minWidth: 5 },
      { header: "DETAIL", cell: ({ text }) => printable(text), minWidth: 20 },
    ],
  });
}

function stepsOf(entry: TimelineEntry): Step[] {
  const { atMs, kind, recipients, detail } = entry;
  const { outcomes } = detail;
  if (!Array.isArray(outcomes)) return [{ atMs, kind, recipients, text: wordsOf(detail) }];
  return outcomes.map((outcome: Readonly<Record<string, unknown>>) => ({
    atMs,
    kind: String(outcome["kind"]),
    recipients: Array.isArray(outcome["recipients"]) ? outcome["recipients"] : recipients,
    text: attemptText(detail, outcome),
  }));
}

/**
 * `out, mx.example.net[192.0.2.1]:25, TLSv1.3 X (dane), 451 4.7.1 Greylisted (120 ms), by rule
 * greylisted`, and what of the message was changed for it.
 */
function attemptText(
  detail: TimelineEntry["detail"],
  { reply, kind, rule }: Readonly<Record<string, unknown>>,
): string {
  const { transport, remote, proxy, tls, proof, durationMs } = detail;
  const duration = typeof durationMs === "number" ? ` (${formatDuration(durationMs)})` : "";
  const way = proxy === undefined ? remote : `${remote} by ${proxy}`;
  const secured = tls === undefined ? "" : `${tls} (${proof ?? "not verified"})`;
  // An unsuitable one was not sent; its reply tells.
  const changed = kind === "unsuitable" ? "" : lossText(detail["losses"]);
  const meaning = kind === "uncertain" ? "maybe sent" : rule === undefined ? "" : `by rule ${rule}`;
  return [transport, way, secured, `${reply}${duration}`, meaning, changed].filter(Boolean)
    .join(", ");
}

/** `changed: DKIM-Signature, text/calendar` */
function lossText(losses: unknown): string {
  if (!Array.isArray(losses) || losses.length === 0) return "";
  return `changed: ${losses.map((loss) => String(loss?.what)).join(", ")}`;
}

function wordsOf(detail: TimelineEntry["detail"]): string {
  return Object.entries(detail).map(([name, value]) => {
    if (value === true) return name;
    return typeof value === "string" || typeof value === "number" ? `${name} ${value}` : "";
  }).filter(Boolean).join(", ");
}

/** `0-3,7`; an empty list means all. */
function rangesOf(indexes: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const index of indexes.toSorted((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && index === range.last + 1) range.last = index;
    else ranges.push({ first: index, last: index });
  }
  const text = ranges.map(({ first, last }) => first === last ? `${first}` : `${first}-${last}`);
  return text.join(",") || "all";
}

function markOf(style: Style): (text: string) => string {
  return (text) => {
    switch (text.trim()) {
      case "delivered":
        return style.green(text);
      case "permanent":
      case "expired":
      case "bounced":
      case "complained":
        return style.red(text);
      case "temporary":
      case "broken":
      case "uncertain":
      case "soft_bounced":
      case "unsubscribed":
        return style.yellow(text);
      default:
        return text;
    }
  };
}
