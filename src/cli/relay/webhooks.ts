import type { InferResponseType } from "hono/client";
import type { AdminClient } from "../../admin/client.ts";
import { formatDuration } from "../../observe/quantities.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { writeDone } from "../done.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { type Column, formatTable } from "../table.ts";
import { printable, relativeTime } from "../text.ts";
import { ask } from "./ask.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";
import { named } from "./operands.ts";

const DEFAULT_LIMIT = 50;

/** Commands on those who are told what becomes of messages. */
export const webhookCommands: readonly Command[] = [
  {
    name: "webhooks list",
    summary: "List the webhooks and their state.",
    flags: [...RELAY_FLAGS, JSON_FLAG],
    examples: [{ command: "webhooks list", does: "Find failing webhooks" }],
    run: list,
  },
  {
    name: "webhooks log",
    summary: "List requests to webhooks, newest first.",
    flags: [
      { name: "webhook", kind: "text", value: "NAME", help: "Requests to this webhook." },
      {
        name: "limit",
        kind: "count",
        value: "N",
        help: `Most entries. Default: ${DEFAULT_LIMIT}.`,
      },
      {
        name: "cursor",
        kind: "text",
        value: "TEXT",
        help: "Continue from the cursor of a --json page.",
      },
      ...RELAY_FLAGS,
      JSON_FLAG,
    ],
    examples: [{ command: "webhooks log --webhook shop", does: "Responses of one webhook" }],
    run: log,
  },
  {
    name: "webhooks replay",
    summary: "Send past events to a webhook again.",
    operands: "NAME",
    flags: [
      {
        name: "since",
        kind: "duration",
        value: "TIME",
        help: "How far back to start, such as 2h. Required.",
      },
      ...RELAY_FLAGS,
      JSON_FLAG,
    ],
    examples: [{ command: "webhooks replay shop --since 2h", does: "Resend two hours of events" }],
    run: replay,
  },
];

type Webhook = InferResponseType<AdminClient["webhooks"]["$get"], 200>["items"][number];
type Call = InferResponseType<AdminClient["webhooks"]["log"]["$get"], 200>["items"][number];

async function list(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  return await withRelay(invocation, async (client) => {
    const { items } = await ask(client.webhooks.$get());
    if (flags.switch("json")) writeJson(io, { items });
    else if (items.length === 0) io.out("The config has no webhooks.\n");
    else writeTable(invocation, { rows: items, columns: webhookColumns(Date.now()) });
    return EXIT.ok;
  });
}

async function log(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const webhook = flags.text("webhook");
  const cursor = flags.text("cursor");
  const query = {
    limit: String(flags.number("limit") ?? DEFAULT_LIMIT),
    ...(webhook === undefined ? {} : { webhook }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return await withRelay(invocation, async (client) => {
    const page = await ask(client.webhooks.log.$get({ query }));
    if (flags.switch("json")) writeJson(io, page);
    else if (page.items.length === 0) io.out("No requests.\n");
    else writeTable(invocation, { rows: page.items, columns: callColumns(Date.now()) });
    return EXIT.ok;
  });
}

async function replay(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const name = named(invocation, "one webhook");
  const sinceMs = flags.number("since");
  if (name === null) return EXIT.usage;
  if (sinceMs === undefined) {
    io.err("Name the start with --since, such as --since 2h.\n");
    return EXIT.usage;
  }
  const json = { fromMs: Date.now() - sinceMs };
  return await withRelay(invocation, async (client) => {
    await ask(client.webhooks[":name"].replay.$post({ param: { name }, json }));
    const line = `Events since ${new Date(json.fromMs).toISOString()} are sent to ${name} again.`;
    writeDone(invocation, { line, value: { webhook: name, ...json } });
    return EXIT.ok;
  });
}

function writeTable<Row>(
  { io }: Invocation,
  { rows, columns }: { rows: readonly Row[]; columns: readonly Column<Row>[] },
): void {
  io.out(formatTable(rows, { columns, width: io.terminal.columns(), style: styleOf(io) }));
}

function webhookColumns(nowMs: number): Column<Webhook>[] {
  return [
    { header: "WEBHOOK", cell: ({ name }) => printable(name) },
    { header: "WAITING", cell: ({ waiting }) => String(waiting), align: "right" },
    { header: "LAST SUCCESS", cell: ({ lastSuccessAtMs: at }) => timeText(at, nowMs), leaves: 1 },
    { header: "URL", cell: ({ url }) => printable(url), minWidth: 16 },
    {
      header: "LAST ERROR",
      cell: ({ lastError }) =>
        lastError === null
          ? "-"
          : printable(`${relativeTime(lastError.atMs, nowMs)}: ${lastError.text}`),
      minWidth: 10,
    },
  ];
}

function callColumns(nowMs: number): Column<Call>[] {
  return [
    { header: "WHEN", cell: ({ atMs }) => relativeTime(atMs, nowMs) },
    { header: "WEBHOOK", cell: ({ webhook }) => printable(webhook) },
    { header: "STATUS", cell: ({ status }) => status === null ? "-" : String(status) },
    {
      header: "TOOK",
      cell: ({ durationMs }) => formatDuration(durationMs),
      align: "right",
      leaves: 1,
    },
    { header: "EVENTS", cell: ({ event }) => printable(event), minWidth: 10 },
    { header: "ERROR", cell: ({ error }) => printable(error), minWidth: 10 },
  ];
}

function timeText(atMs: number | null, nowMs: number): string {
  return atMs === null ? "-" : relativeTime(atMs, nowMs);
}
