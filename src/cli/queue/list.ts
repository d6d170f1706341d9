import { formatSize } from "../../observe/quantities.ts";
import {
  LIST_ORDERS,
  type ListOrder,
  type ListRequest,
  type MessageListItem,
  type MessagePage,
} from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { type Column, formatTable } from "../table.ts";
import { counted, printable, relativeTime } from "../text.ts";
import { ACCESS_FLAGS, type QueueAccess, withMessages } from "./access.ts";
import { FILTER_FLAGS, readFilter } from "./filter.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 10_000;

/** Lists messages. */
export const queueListCommand: Command = {
  name: "queue list",
  summary: "List the messages in the queue.",
  operands: "[ID…]",
  details: "Without a filter it lists messages with pending recipients. Works with or without a " +
    "running relay, and with --url on a remote relay.",
  flags: [
    ...FILTER_FLAGS,
    { name: "all", kind: "switch", help: "Include completed messages." },
    {
      name: "limit",
      kind: "count",
      value: "N",
      help: `Most messages to list. Default: ${DEFAULT_LIMIT}.`,
    },
    {
      name: "order",
      kind: "text",
      value: "ORDER",
      choices: LIST_ORDERS,
      help: "Order: newest, oldest, next (attempt), largest, (most) attempts. Default: newest.",
    },
    {
      name: "cursor",
      kind: "text",
      value: "TEXT",
      help: "Continue from the cursor of a --json page.",
    },
    ...ACCESS_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "queue list", does: "All pending messages" },
    {
      command: "queue list --domain example.net --older-than 1h",
      does: "Messages that have waited for an hour",
    },
    { command: "queue list --order attempts --limit 10", does: "Messages with the most attempts" },
    { command: "queue list --state failed --json", does: "Bounced messages as JSON" },
  ],
  run: list,
};

async function list(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const nowMs = Date.now();
  const read = readFilter(invocation, nowMs);
  if (read.kind === "wrong") {
    io.err(`${read.reason}\n`);
    return EXIT.usage;
  }
  const showsLive = read.isOpen && !flags.switch("all");
  const filter = showsLive ? { states: ["queued", "held"] as const } : read.filter;
  const cursor = flags.text("cursor");
  return await withMessages(invocation, async (queue) => {
    const total = await queue.count(filter);
    const page = await longPage(queue, {
      ...{ filter, order: flags.text("order") as ListOrder ?? "newest" }, // checked as choices
      limit: Math.min(flags.number("limit") ?? DEFAULT_LIMIT, MAX_LIMIT),
      ...(cursor === undefined ? {} : { cursor }),
    });
    if (flags.switch("json")) writeJson(io, { total, ...page });
    else writePage(invocation, { page, total, nowMs });
    return EXIT.ok;
  });
}

/** A page that goes on where a search that finds little would stop. */
async function longPage(
  queue: QueueAccess,
  { cursor: start, ...request }: ListRequest,
): Promise<MessagePage> {
  const items: MessageListItem[] = [];
  let cursor = start ?? null;
  do {
    const page = await queue.list({
      ...{ ...request, limit: request.limit - items.length },
      ...(cursor === null ? {} : { cursor }),
    });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null && items.length < request.limit);
  return { items, cursor };
}

function writePage(
  { io }: Invocation,
  { page: { items, cursor }, total, nowMs }: { page: MessagePage; total: number; nowMs: number },
): void {
  if (items.length === 0) {
    io.out("No messages.\n");
    return;
  }
  const style = styleOf(io);
  io.out(formatTable(items, { columns: columns(nowMs), width: io.terminal.columns(), style }));
  const rest = cursor === null ? "" : `, ${items.length} shown; use --limit or a filter for more`;
  io.out(`${style.dim(`${counted(total, "message")}${rest}`)}\n`);
}

function columns(nowMs: number): Column<MessageListItem>[] {
  return [
    { header: "ID", cell: ({ message }) => message.id },
    { header: "AGE", cell: ({ message }) => ageOf(message.receivedAtMs, nowMs), align: "right" },
    {
      header: "SIZE",
      cell: ({ message }) => formatSize(message.facts.sizeBytes),
      align: "right",
      leaves: 4,
    },
    {
      header: "FROM",
      cell: ({ message }) => senderText(message.reversePath),
      minWidth: 12,
      leaves: 2,
    },
    { header: "TO", cell: recipientsText, minWidth: 12 },
    { header: "STATE", cell: statesText },
    {
      header: "NEXT",
      cell: ({ nextAttemptAtMs: at }) => at === null ? "-" : dueText(at, nowMs),
      leaves: 3,
    },
    {
      header: "LAST REPLY",
      cell: ({ lastReply }) => printable(lastReply),
      minWidth: 10,
      leaves: 1,
    },
  ];
}

/** The reverse-path as people know it. */
export function senderText(reversePath: string): string {
  return reversePath === "" ? "<>" : printable(reversePath);
}

function ageOf(receivedAtMs: number, nowMs: number): string {
  return relativeTime(receivedAtMs, nowMs).replace(" ago", "");
}

function dueText(atMs: number, nowMs: number): string {
  return atMs <= nowMs ? "now" : relativeTime(atMs, nowMs);
}

function recipientsText({ firstRecipients, recipientCount }: MessageListItem): string {
  const [first = ""] = firstRecipients;
  return printable(first) + (recipientCount > 1 ? ` +${recipientCount - 1}` : "");
}

function statesText({ states, recipientCount }: MessageListItem): string {
  const parts = Object.entries(states).filter(([, count]) => count > 0);
  return parts.map(([state, count]) => recipientCount === 1 ? state : `${count} ${state}`)
    .join(", ");
}
