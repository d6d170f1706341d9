import {
  type MessageFilter,
  type MessageRecord,
  type QueueStore,
  StoreError,
} from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "../io.ts";
import { ProgressBar } from "../progress.ts";
import { counted } from "../text.ts";
import { fileWriter } from "./export_to/files.ts";
import { maildirWriter } from "./export_to/maildir.ts";
import { mboxWriter } from "./export_to/mbox.ts";
import {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportWriter,
  FOLDER_MODE,
} from "./export_to/writer.ts";
import { FILTER_FLAGS, readFilter } from "./filter.ts";
import { QUEUE_FLAGS, withQueue } from "./open.ts";

const PAGE = 500;

/** Writes messages as files. */
export const queueExportCommand: Command = {
  name: "queue export",
  summary: "Write messages to files that queue import and other programs read.",
  operands: "[ID…]",
  details: "Without a filter it exports messages with pending recipients. Format posthouse, the " +
    "default, writes an .eml file and the whole envelope as .json for each message, named by " +
    "queue id. eml, maildir and mbox keep only the sender and the pending recipients, in " +
    "Return-Path and Envelope-To. Files of an earlier export are replaced; an existing mbox " +
    "is not. Messages without content are skipped. The queue is not changed.",
  flags: [
    {
      name: "to",
      kind: "text",
      value: "FOLDER",
      help: "Folder to write to, created if missing; for mbox, a file. Required.",
    },
    {
      name: "format",
      kind: "text",
      value: "FORMAT",
      choices: EXPORT_FORMATS,
      help: "File format. Default: posthouse.",
    },
    { name: "append", kind: "switch", help: "Append to an existing mbox." },
    ...FILTER_FLAGS,
    { name: "all", kind: "switch", help: "Include completed messages." },
    ...QUEUE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "queue export --to backup", does: "All pending messages" },
    { command: "queue export 01JZ3V9KQ8M2XW4T --to .", does: "One message" },
    {
      command: "queue export --state held --format mbox --to held.mbox",
      does: "Held messages, for a mail reader",
    },
  ],
  run: exportMessages,
};

/** How an export went. */
interface Tally {
  exported: number;
  /** Messages without octets. */
  skipped: number;
}

async function exportMessages(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const read = readFilter(invocation, Date.now());
  const path = flags.text("to");
  if (read.kind === "wrong" || path === undefined) {
    io.err(`${read.kind === "wrong" ? read.reason : "Name a folder or file with --to."}\n`);
    return EXIT.usage;
  }
  const showsLive = read.isOpen && !flags.switch("all");
  const filter: MessageFilter = showsLive ? { states: ["queued", "held"] } : read.filter;
  return await withQueue(invocation, async (store) => {
    const tally = await exportTo(invocation, { store, filter, path });
    if (tally === null) return EXIT.failed;
    if (flags.switch("json")) writeJson(io, { folder: path, ...tally });
    else io.out(`Exported ${counted(tally.exported, "message")} to ${path}${skipText(tally)}.\n`);
    return filter.ids !== undefined && tally.exported === 0 ? EXIT.failed : EXIT.ok;
  });
}

/** Null, and told, when the place cannot be written to. */
async function exportTo(
  { io, flags }: Invocation,
  { store, filter, path }: { store: QueueStore; filter: MessageFilter; path: string },
): Promise<Tally | null> {
  const format = (flags.text("format") ?? "posthouse") as ExportFormat; // checked as a choice
  try {
    await using writer = await openWriter(path, {
      ...{ format, appends: flags.switch("append"), hostname: io.hostname() },
    });
    return await writeAll(io, { store, filter, writer });
  } catch (error) {
    // The runtime gives the errors of files a code, as `EACCES`.
    if (!(error instanceof Error) || error instanceof StoreError || !("code" in error)) throw error;
    const hint = error instanceof Deno.errors.AlreadyExists ? "; use --append to add to it" : "";
    io.err(`Cannot write to ${path}: ${error.message}${hint}\n`);
    return null;
  }
}

async function openWriter(
  path: string,
  { format, appends, hostname }: { format: ExportFormat; appends: boolean; hostname: string },
): Promise<ExportWriter> {
  if (format === "mbox") return await mboxWriter(path, { appends });
  if (format === "maildir") return await maildirWriter(path, { hostname });
  await Deno.mkdir(path, { recursive: true, mode: FOLDER_MODE });
  return fileWriter(path, { json: format === "posthouse" });
}

async function writeAll(
  io: CliIo,
  { store, filter, writer }: { store: QueueStore; filter: MessageFilter; writer: ExportWriter },
): Promise<Tally> {
  const tally: Tally = { exported: 0, skipped: 0 };
  using bar = new ProgressBar(io, { label: "Exporting", total: await store.count(filter) });
  for await (const message of allMessages(store, filter)) {
    const isWritten = await writeMessage(store, { message, writer });
    tally[isWritten ? "exported" : "skipped"]++;
    bar.update(tally.exported + tally.skipped);
  }
  return tally;
}

function skipText({ skipped }: Tally): string {
  return skipped === 0 ? "" : `; ${counted(skipped, "message")} without content skipped`;
}

async function* allMessages(
  store: QueueStore,
  filter: MessageFilter,
): AsyncGenerator<MessageRecord> {
  let cursor: string | null = null;
  do {
    const page = await store.list({ filter, limit: PAGE, ...(cursor === null ? {} : { cursor }) });
    for (const { message } of page.items) yield message;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** Writes one message; false when its octets are gone. */
async function writeMessage(
  store: QueueStore,
  { message, writer }: { message: MessageRecord; writer: ExportWriter },
): Promise<boolean> {
  const [detail, body] = await Promise.all([store.get(message.id), store.body(message.id)]);
  if (detail === null || body === null) return false;
  await writer.write({ detail, body });
  return true;
}
