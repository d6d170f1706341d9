import { dnsOptions } from "../../app/dns.ts";
import { MailSigning } from "../../app/signing.ts";
import { intakeLimits } from "../../app/queue_settings.ts";
import { systemClock } from "../../base/clock.ts";
import type { Config } from "../../config/schema.ts";
import { parseMailbox } from "../../mail/address.ts";
import { createResolver } from "../../net/resolver.ts";
import { type QueueStore, StoreError } from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import type { FlagValues } from "../flags.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "../io.ts";
import { ProgressBar } from "../progress.ts";
import { isAgreed } from "../question.ts";
import { counted } from "../text.ts";
import { BodySink } from "./import/body_sink.ts";
import { openSource } from "./import/detect.ts";
import type { EnvelopeWishes } from "./import/header_envelope.ts";
import { Importer, type ImportOptions } from "./import/importer.ts";
import { ImportReport } from "./import/report.ts";
import {
  IMPORT_FORMATS,
  type ImportFormat,
  type MailSource,
  type SourceItem,
} from "./import/source.ts";
import { QUEUE_FLAGS, withQueue } from "./open.ts";

/** Messages that are on their way into the store at once; they share its transactions. */
const AT_ONCE = 32;

/** Puts messages from files into the queue. */
export const queueImportCommand: Command = {
  name: "queue import",
  summary: "Import messages from a Maildir, an mbox, .eml files or an export.",
  operands: "PATH…",
  details: "Uses the envelope that queue export wrote beside a message. Otherwise the sender is " +
    "--from, Return-Path, the From line of an mbox or the author, and the recipients are " +
    "--to, X-Original-To, Envelope-To or Delivered-To. Fields that a mailbox added for its " +
    "own use are removed. Exported messages keep their queue id, age, parameters and pending " +
    "recipients. No message is imported twice: repeat a run that was stopped or had errors. " +
    "Messages that cannot be imported are listed at the end, by file. Works with or without " +
    "a running relay.",
  flags: [
    {
      name: "format",
      kind: "text",
      value: "FORMAT",
      choices: IMPORT_FORMATS,
      help: "Format of the files. Default: detected.",
    },
    {
      name: "from",
      kind: "text",
      value: "ADDRESS",
      help: "Reverse-path of all messages; <> for the null reverse-path.",
    },
    {
      name: "to",
      kind: "texts",
      value: "ADDRESS",
      help: "Recipient of all messages, instead of those in the envelopes.",
    },
    {
      name: "to-header",
      kind: "switch",
      help: "Take recipients from To, Cc and Bcc if nothing else names them.",
    },
    { name: "hold", kind: "switch", help: "Hold the messages until they are released." },
    {
      name: "fresh",
      kind: "switch",
      help: "Import exported messages as new ones, with a new age.",
    },
    { name: "sign", kind: "switch", help: "Sign the messages with the DKIM keys of the config." },
    { name: "again", kind: "switch", help: "Import messages again that were imported before." },
    { name: "all", kind: "switch", help: "Include drafts and trashed messages of a Maildir." },
    { name: "dry-run", short: "n", kind: "switch", help: "Check all messages without importing." },
    { name: "yes", short: "y", kind: "switch", help: "Do not ask for confirmation." },
    ...QUEUE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "queue import backup", does: "Import an export" },
    { command: "queue import old.mbox --dry-run", does: "Preview an import" },
    {
      command: "queue import ~/Maildir --to archive@example.net --hold",
      does: "Send all messages to one recipient, after release",
    },
  ],
  run: importMail,
};

async function importMail(invocation: Invocation): Promise<ExitCode> {
  const { io, flags, operands } = invocation;
  const wishes = wishesOf(flags);
  if (typeof wishes === "string" || operands.length === 0) {
    io.err(`${typeof wishes === "string" ? wishes : "Name a file or folder to import."}\n`);
    return EXIT.usage;
  }
  const sources = await sourcesOf(invocation);
  if (sources === null) return EXIT.failed;
  const total = await countOf(io, sources);
  if (total === null) return EXIT.failed;
  const isDryRun = flags.switch("dry-run");
  if (!isDryRun && !(await isWanted(invocation, { total, sources }))) return EXIT.failed;
  const run = async (store: QueueStore, config: Config): Promise<ExitCode> => {
    using resolver = createResolver(dnsOptions(config));
    const signing = new MailSigning(config, { clock: systemClock, resolver, parallel: 1 });
    const sign = flags.switch("sign") ? () => signing.start() : () => null;
    const report = new ImportReport({ isDryRun });
    const importer = new Importer(optionsOf(config, { store, flags, wishes, sign }));
    await importAll(invocation, { importer, sources, total, report });
    if (flags.switch("json")) writeJson(io, report.toJson());
    else report.write(io);
    return report.hasProblems ? EXIT.failed : EXIT.ok;
  };
  return await withQueue(invocation, run, { missing: isDryRun ? "memory" : "make" });
}

function optionsOf(
  config: Config,
  { flags, ...services }: {
    store: QueueStore;
    flags: FlagValues;
    wishes: EnvelopeWishes;
    sign: ImportOptions["sign"];
  },
): ImportOptions {
  const limits = intakeLimits(config);
  return {
    ...{ ...services, limits, nowMs: systemClock.now() },
    holds: flags.switch("hold"),
    isFresh: flags.switch("fresh"),
    again: flags.switch("again"),
    isDryRun: flags.switch("dry-run"),
    sink: () =>
      new BodySink({
        thresholdBytes: limits.spoolThresholdBytes,
        spool: () => services.store.spool(),
      }),
  };
}

/** Reads one message at a time and stores several at once, until the end or a signal. */
async function importAll(
  { io }: Invocation,
  { importer, sources, total, report }: {
    importer: Importer;
    sources: readonly MailSource[];
    total: number;
    report: ImportReport;
  },
): Promise<void> {
  using bar = new ProgressBar(io, { label: "Importing", total });
  using cleanup = new DisposableStack();
  cleanup.defer(io.onSignal(["SIGINT", "SIGTERM"], () => report.stop("a signal stopped it")));
  const storing = new Set<Promise<void>>();
  const nowMs = systemClock.now();
  for (const source of sources) {
    await everyItem(source, report, async (item) => {
      const { stored } = await importer.take(item, source.format);
      const task = stored.then((result) => report.add(result, nowMs))
        .catch((error: unknown) => report.stop(storeTrouble(error)))
        .finally(() => storing.delete(task));
      storing.add(task);
      bar.update(report.seen);
      if (storing.size >= AT_ONCE) await Promise.race(storing);
    });
  }
  await Promise.all(storing);
}

/** Calls `use` with each item of a source, until its end or until the import is stopped. */
async function everyItem(
  source: MailSource,
  report: ImportReport,
  use: (item: SourceItem) => Promise<void>,
): Promise<void> {
  try {
    for await (const item of source.items()) {
      if (report.stopped !== null) return;
      await use(item);
    }
  } catch (error) {
    report.stop(
      error instanceof StoreError ? error.message : `${source.path}: ${fileTrouble(error)}`,
    );
  }
}

/** What is wrong with the queue. Throws what is not a trouble of the queue. */
function storeTrouble(error: unknown): string {
  if (error instanceof StoreError) return error.message;
  throw error;
}

/** What is wrong with a file. Throws what is not a trouble of the file system. */
function fileTrouble(error: unknown): string {
  // The runtime gives the errors of files a code, as `EACCES`.
  if (error instanceof Error && "code" in error) return error.message;
  throw error;
}

/** The sources that were named; null, and told, when one cannot be used. */
async function sourcesOf({ io, flags, operands }: Invocation): Promise<MailSource[] | null> {
  const format = (flags.text("format") ?? null) as ImportFormat | null; // checked as a choice
  const sources: MailSource[] = [];
  for (const path of operands) {
    const result = await openSource(path, { format, takesAll: flags.switch("all") });
    if (result.kind === "unusable") io.err(`${result.reason}\n`);
    else sources.push(result.source);
  }
  return sources.length === operands.length ? sources : null;
}

/** How many messages there are; null, and told, when a source cannot be read. */
async function countOf(io: CliIo, sources: readonly MailSource[]): Promise<number | null> {
  let total = 0;
  for (const source of sources) {
    try {
      total += await source.count();
    } catch (error) {
      io.err(`Cannot read ${source.path}: ${fileTrouble(error)}\n`);
      return null;
    }
  }
  return total;
}

/** Asks before several messages are imported; a script is not asked. */
async function isWanted(
  { io, flags }: Invocation,
  { total, sources }: { total: number; sources: readonly MailSource[] },
): Promise<boolean> {
  if (total <= 1 || !io.terminal.stdin || flags.switch("yes")) return true;
  const what = sources.map(({ path, format }) => `${path} (${format})`).join(", ");
  if (await isAgreed(io, `Import ${counted(total, "message")} from ${what}?`)) return true;
  io.err("Nothing was imported.\n");
  return false;
}

/** What the flags say about envelopes, or what is wrong with that. */
function wishesOf(flags: FlagValues): EnvelopeWishes | string {
  const from = flags.text("from");
  const reversePath = from === "<>" ? "" : from ?? null;
  const recipients = flags.texts("to");
  const strange = [...recipients, ...reversePath ? [reversePath] : []]
    .find((path) => parseMailbox(path).kind !== "ok");
  if (strange !== undefined) return `Not a mail address: ${JSON.stringify(strange)}.`;
  return { reversePath, recipients, usesAddressFields: flags.switch("to-header") };
}
