import type { InferResponseType } from "hono/client";
import type { AdminClient } from "../../admin/client.ts";
import { mainReason } from "../../admin/queue_by_domain.ts";
import { formatPace } from "../../observe/quantities.ts";
import type { Style } from "../style.ts";
import { type Column, formatTable } from "../table.ts";
import { counted, printable, relativeTime } from "../text.ts";

/** A destination as the API shows it. */
export type Destination = InferResponseType<AdminClient["destinations"]["$get"], 200>["items"][
  number
];

/** A transport as the API shows it. */
export type Transport = InferResponseType<AdminClient["transports"]["$get"], 200>["items"][number];

/** What waits in the queue, as the API shows it. */
export type Shape = InferResponseType<AdminClient["queue"]["shape"]["$get"], 200>;

/** The domains for which the most waits; empty when nothing waits. */
export function domainsText(
  { domains, domainCount }: Shape,
  { width, style }: { width: number; style: Style },
): string {
  if (domains.length === 0) return "";
  const table = formatTable(domains, {
    ...{ width, style },
    columns: [
      { header: "WAITS IN THE QUEUE", cell: ({ domain }) => printable(domain), minWidth: 12 },
      {
        header: "RECIPIENTS",
        cell: ({ recipients }) => String(recipients),
        align: "right",
      },
      {
        header: "OVER 1 H",
        cell: ({ ages }) => String(ages.slice(2).reduce((sum, count) => sum + count, 0)),
        align: "right",
      },
      { header: "WHY", cell: (domain) => mainReason(domain), minWidth: 12 },
    ],
  });
  const rest = domainCount - domains.length;
  return `\n${table}${rest > 0 ? `${style.dim(counted(rest, "more domain"))}\n` : ""}`;
}

/** What transports and destinations have in common. */
type Way = Pick<Transport, "state" | "retryAtMs" | "lastError" | "pause">;

/** `down, in 4m`: the state of a transport, and when it changes. */
export function stateText({ state, retryAtMs, pause }: Way, nowMs: number): string {
  const untilMs = pause === null ? retryAtMs : pause.untilMs;
  return untilMs === null || state === "up" ? state : `${state}, ${relativeTime(untilMs, nowMs)}`;
}

/** Why a transport is as it is: the reason of a pause, or the last error. */
export function reasonText({ pause, lastError, state }: Way, nowMs: number): string {
  if (pause !== null) return printable([pause.by, pause.reason].filter(Boolean).join(": "));
  if (lastError === null) return "";
  const when = state === "up" ? `${relativeTime(lastError.atMs, nowMs)}: ` : "";
  return printable(`${when}${lastError.text}`);
}

/** Green where all is well, red where nothing goes out. */
export function markState(style: Style): (text: string, way: Pick<Way, "state">) => string {
  return (text, { state }) => {
    if (state === "up") return style.green(text);
    return state === "down" ? style.red(text) : style.yellow(text);
  };
}

/** The columns of a table of destinations. */
export function destinationColumns(nowMs: number, style: Style): Column<Destination>[] {
  return [
    { header: "DESTINATION", cell: ({ name }) => printable(name), minWidth: 12 },
    { header: "TRANSPORT", cell: ({ transport }) => transport, leaves: 1 },
    { header: "STATE", cell: (way) => stateText(way, nowMs), mark: markState(style) },
    { header: "RUNNING", cell: ({ running }) => String(running), align: "right", leaves: 5 },
    {
      header: "QUEUED",
      cell: ({ queued }) => queued === null ? "-" : String(queued),
      align: "right",
    },
    { header: "IN LINE", cell: ({ waiting }) => String(waiting), align: "right", leaves: 3 },
    {
      header: "LIMIT",
      cell: ({ concurrency, maxConcurrency }) => `${concurrency}/${maxConcurrency}`,
      align: "right",
      leaves: 4,
    },
    {
      header: "PACE",
      cell: ({ shaping }) => paceText(shaping, nowMs),
      mark: (text, { shaping: { learned } }) => learned === null ? text : style.yellow(text),
      leaves: 2,
    },
    {
      header: "REASON",
      cell: (way) => slowReason(way, nowMs) ?? reasonText(way, nowMs),
      minWidth: 10,
    },
  ];
}

/** What it is held to: the pace it taught, or when a limit lets the next message go. */
function paceText({ learned, nextAtMs }: Destination["shaping"], nowMs: number): string {
  if (learned !== null) return formatPace(learned.perMinute);
  return nextAtMs === null ? "" : `next ${relativeTime(nextAtMs, nowMs)}`;
}

/** Why a destination that is up takes less than it could; null where it does not. */
function slowReason(
  { state, shaping: { learned, nextAtMs, limits } }: Destination,
  nowMs: number,
): string | null {
  if (state !== "up") return null;
  if (learned !== null) {
    return printable(`slowed down ${relativeTime(learned.sinceMs, nowMs)}: ${learned.reason}`);
  }
  const rules = [...new Set(limits.map(({ rule }) => rule))].join(", ");
  return nextAtMs === null || rules === "" ? null : printable(`limit of ${rules}`);
}

/** The columns of a table of transports. */
export function transportColumns(nowMs: number, style: Style): Column<Transport>[] {
  return [
    { header: "TRANSPORT", cell: ({ name }) => name },
    { header: "KIND", cell: ({ kind }) => kind, leaves: 4 },
    { header: "STATE", cell: (way) => stateText(way, nowMs), mark: markState(style) },
    { header: "RUNNING", cell: ({ running }) => String(running), align: "right", leaves: 5 },
    {
      header: "DELIVERED",
      cell: ({ outcomes }) => String(outcomes.delivered),
      align: "right",
      leaves: 2,
    },
    {
      header: "DEFERRED",
      cell: ({ outcomes }) => String(outcomes.deferred),
      align: "right",
      leaves: 3,
    },
    {
      header: "BOUNCED",
      cell: ({ outcomes }) => String(outcomes.bounced),
      align: "right",
      leaves: 3,
    },
    { header: "REASON", cell: (way) => reasonText(way, nowMs), minWidth: 10 },
  ];
}
