import type { MessageFilter, MessageRecord, QueueStore } from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "../io.ts";
import { ProgressBar } from "../progress.ts";
import { counted } from "../text.ts";
import { FILTER_FLAGS, readFilter } from "./filter.ts";
import { QUEUE_FLAGS, withQueue } from "./open.ts";

const PAGE = 500;

/** Writes messages as files. */
export const queueExportCommand: Command = {
  name: "queue export",
  summary: "Write messages as .eml files, each with its envelope in a .json file.",
  operands: "[ID…]",
  details: "Without a filter it writes the messages that still have somebody to reach. Files are " +
    "named by queue id; those of an earlier export are replaced. Messages whose octets were " +
    "removed are passed over. Changes nothing in the queue.",
  flags: [
    { name: "to", kind: "text", value: "FOLDER", help: "Where to; made when it is not there." },
    ...FILTER_FLAGS,
    { name: "all", kind: "switch", help: "Messages that are done too." },
    ...QUEUE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "queue export --to backup", does: "What waits" },
    { command: "queue export 01JZ3V9KQ8M2XW4T --to .", does: "One message" },
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
  const folder = flags.text("to");
  if (read.kind === "wrong" || folder === undefined) {
    io.err(`${read.kind === "wrong" ? read.reason : "Name a folder with --to."}\n`);
    return EXIT.usage;
  }
  const showsLive = read.isOpen && !flags.switch("all");
  const filter: MessageFilter = showsLive ? { states: ["queued", "held"] } : read.filter;
  return await withQueue(invocation, async (store) => {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const tally = await writeAll(io, { store, filter, folder });
    if (flags.switch("json")) writeJson(io, { folder, ...tally });
    else io.out(`Exported ${counted(tally.exported, "message")} to ${folder}${skipText(tally)}.\n`);
    return filter.ids !== undefined && tally.exported === 0 ? EXIT.failed : EXIT.ok;
  });
}

async function writeAll(
  io: CliIo,
  { store, filter, folder }: { store: QueueStore; filter: MessageFilter; folder: string },
): Promise<Tally> {
  const tally: Tally = { exported: 0, skipped: 0 };
  using bar = new ProgressBar(io, { label: "Exporting", total: await store.count(filter) });
  for await (const message of allMessages(store, filter)) {
    const isWritten = await writeMessage(store, { message, folder });
    tally[isWritten ? "exported" : "skipped"]++;
    bar.update(tally.exported + tally.skipped);
  }
  return tally;
}

function skipText({ skipped }: Tally): string {
  return skipped === 0 ? "" : `; ${counted(skipped, "message")} had no octets any more`;
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

/** Writes one message, envelope last; false when its octets are gone. */
async function writeMessage(
  store: QueueStore,
  { message, folder }: { message: MessageRecord; folder: string },
): Promise<boolean> {
  const [detail, body] = await Promise.all([store.get(message.id), store.body(message.id)]);
  if (detail === null || body === null) return false;
  const path = `${folder}/${message.id}`;
  // What people wrote to each other is for the owner of the files alone.
  await Deno.writeFile(`${path}.eml`, ReadableStream.from(body), { mode: 0o600 });
  const envelope = { ...detail.message, recipients: detail.recipients };
  await Deno.writeTextFile(`${path}.json`, `${JSON.stringify(envelope, null, 2)}\n`, {
    mode: 0o600,
  });
  return true;
}
