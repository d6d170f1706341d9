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
  summary: "Put messages into the queue from a Maildir, an mbox, .eml files or an export.",
  operands: "PATH…",
  details: "The envelope is what queue export wrote beside a message; else the sender is " +
    "--from, Return-Path, the From line of an mbox or the author, and the recipients are --to, " +
    "X-Original-To, Envelope-To or Delivered-To. What a mailbox added to a message for itself is " +
    "taken off. Exported messages keep their queue id, their age, their parameters and those " +
    "recipients that were not reached. Nothing is imported twice: a run that was stopped, or that " +
    "met mistakes, can be repeated. What cannot be imported is listed at the end, by file. Works " +
    "while the relay runs and while it does not.",
  flags: [
    {
      name: "format",
      kind: "text",
      value: "FORMAT",
      choices: IMPORT_FORMATS,
      help: "What the files are, where it is not found out.",
    },
    { name: "from", kind: "text", value: "ADDRESS", help: "Reverse-path of all; <> for null." },
    {
      name: "to",
      kind: "texts",
      value: "ADDRESS",
      help: "Recipient of all, not of the envelopes.",
    },
    {
      name: "to-header",
      kind: "switch",
      help: "To, Cc and Bcc name recipients if nothing else does.",
    },
    { name: "hold", kind: "switch", help: "Hold the messages until they are released." },
    { name: "fresh", kind: "switch", help: "Exported messages begin anew, as if they came now." },
    { name: "sign", kind: "switch", help: "Sign them with the DKIM keys of the config." },
    { name: "again", kind: "switch", help: "Also what was imported before." },
    { name: "all", kind: "switch", help: "Drafts and trashed messages of a Maildir too." },
    { name: "dry-run", short: "n", kind: "switch", help: "Look at everything, change nothing." },
    { name: "yes", short: "y", kind: "switch", help: "Do not ask." },
    ...QUEUE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "queue import backup", does: "What queue export wrote" },
    { command: "queue import old.mbox --dry-run", does: "What would come in" },
    {
      command: "queue import ~/Maildir --to archive@example.net --hold",
      does: "All for one recipient, when somebody releases it",
    },
  ],
  run: importMail,
};

async function importMail(invocation: Invocation): Promise<ExitCode> {
  const { io, flags, operands } = invocation;
  const wishes = wishesOf(flags);
  if (typeof wishes === "string" || operands.length === 0) {
    io.err(`${typeof wishes === "string" ? wishes : "Name what is to be imported."}\n`);
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
