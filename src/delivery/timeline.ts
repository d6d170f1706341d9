import { formatReply } from "../mail/reply.ts";
import { cutText, escapeControls } from "../mail/safe_text.ts";
import type { TimelineEntry } from "../queue/store.ts";
import { formatRemote } from "./conclude.ts";
import type { DeliveryReport, Outcome } from "./transport.ts";
import type { Job } from "./job.ts";

/** Attempts whose dialogue is kept. */
export type DialogueChoice = "all" | "failed" | "none";

/**
 * The timeline line of one attempt. Recipients with the same outcome share an entry of
 * `detail.outcomes`, so that a message to a thousand people leaves one short line.
 */
export function attemptEntry(
  job: Pick<Job, "recipients" | "route" | "redirect">,
  { transport, destination, report, startedAtMs, endedAtMs, dialogues }: {
    transport: string;
    destination: string;
    report: DeliveryReport;
    startedAtMs: number;
    endedAtMs: number;
    dialogues: DialogueChoice;
  },
): TimelineEntry {
  const { tls, proof, losses, dialogue } = report;
  const isTold = dialogues === "all" ||
    dialogues === "failed" && report.outcomes.some(({ kind }) => kind !== "delivered");
  const lines = isTold ? keptLines(dialogue?.lines() ?? []) : [];
  return {
    atMs: startedAtMs,
    kind: "attempt",
    recipients: job.recipients.map(({ index }) => index),
    detail: {
      route: job.route,
      ...(job.redirect === null ? {} : { redirectedTo: job.redirect.mailbox }),
      transport,
      destination,
      remote: formatRemote(report.remote),
      ...(report.remote?.via === undefined ? {} : { proxy: report.remote.via }),
      ...(tls === null ? {} : { tls: `${tls.version} ${tls.cipher}`.trim() || "TLS" }),
      ...(proof === undefined ? {} : { proof }),
      ...(losses === undefined ? {} : { losses }),
      durationMs: endedAtMs - startedAtMs,
      outcomes: groupOutcomes(job, report.outcomes),
      ...(lines.length === 0 ? {} : { dialogue: lines }),
    },
  };
}

const HEAD_LINES = 300;
const TAIL_LINES = 100;
const LINE_LIMIT_CHARS = 512;

/** A dialogue fit to be kept and shown: a next hop may say anything, and as much of it. */
function keptLines(lines: readonly string[]): string[] {
  const leftOut = lines.length - HEAD_LINES - TAIL_LINES;
  const kept = leftOut <= 0 ? lines : [
    ...lines.slice(0, HEAD_LINES),
    `-- ${leftOut} more lines left out`,
    ...lines.slice(-TAIL_LINES),
  ];
  return kept.map((line) => cutText(escapeControls(line), LINE_LIMIT_CHARS));
}

/** One kind of outcome of an attempt and whom it befell. */
export interface OutcomeGroup {
  readonly kind: Outcome["kind"];
  readonly reply: string;
  readonly recipients: readonly number[];
  /** The rule that said what the reply means, where one did. */
  readonly rule?: string;
  /** As in `Outcome`. */
  readonly remoteId?: string;
}

function groupOutcomes(job: Pick<Job, "recipients">, outcomes: readonly Outcome[]): OutcomeGroup[] {
  const groups = new Map<string, OutcomeGroup & { recipients: number[] }>();
  job.recipients.forEach(({ index }, position) => {
    const outcome = outcomes[position];
    if (outcome === undefined) return;
    const reply = formatReply(outcome.reply);
    const rule = "rule" in outcome ? outcome.rule : undefined;
    const remoteId = "remoteId" in outcome ? outcome.remoteId : undefined;
    const key = `${outcome.kind} ${rule} ${remoteId} ${reply}`;
    const group = groups.get(key);
    if (group !== undefined) group.recipients.push(index);
    else {
      const named = {
        ...(rule === undefined ? {} : { rule }),
        ...(remoteId === undefined ? {} : { remoteId }),
      };
      groups.set(key, { kind: outcome.kind, reply, recipients: [index], ...named });
    }
  });
  return [...groups.values()];
}
