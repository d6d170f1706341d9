import { type EventOutline, outboxEvent, type RecordedMessage } from "../outbox.ts";
import type { MessageRecord } from "../store.ts";
import { commandDone, commanded } from "../transition.ts";
import { fittingRecipients } from "./fitting.ts";
import type { EventWriter } from "./outbox_table.ts";
import type { Calls } from "./protocol.ts";
import { readdresser } from "./readdress.ts";
import type { RecipientTable } from "./recipient.ts";
import { findMessages } from "./search.ts";
import { encodeEntry, type TimelineWriter } from "./timeline.ts";
import type { Workbench } from "./workbench.ts";

type Request = Calls["command"]["args"];
type FactsRow = [id: string, reversePath: string, record: string];

/** How many messages one call works on, so that others need not wait for long. */
const MESSAGES_PER_CALL = 200;
/** How long one call looks for them. */
const SEARCH_MS = 30;

/** Applies an operator's command to some of the messages that fit. */
export function commandHandler(
  bench: Workbench,
  { table, timeline, remove, tell }: {
    table: RecipientTable;
    timeline: TimelineWriter;
    /** Forgets a message. */
    remove: (sequence: number) => boolean;
    tell: EventWriter;
  },
): (request: Request) => Calls["command"]["result"] {
  const { database } = bench;
  const facts = database.prepare<FactsRow>(
    "SELECT id, reverse_path, record FROM messages WHERE seq = ?",
  );
  const announce = (sequence: number, event: EventOutline, atMs: number): void => {
    const row = facts.first(sequence);
    if (row !== undefined) tell(outboxEvent(event, { ...recordedOf(row), atMs }));
  };
  const readdress = readdresser(bench, table);
  const apply = (sequence: number, request: Request): boolean => {
    const { command, filter, nowMs, by, event } = request;
    if (command.kind === "delete") return remove(sequence);
    if (command.kind === "readdress") {
      const entry = readdress({ ...request, command, sequence });
      if (entry === null) return false;
      timeline(sequence, encodeEntry(entry));
      if (event !== undefined) announce(sequence, event, nowMs);
      return true;
    }
    const change = table.start({ sequence }, nowMs);
    if (change === null) return false;
    const changed: number[] = [];
    for (const index of fittingRecipients(database, { sequence, filter })) {
      const from = table.read(sequence, index);
      const to = from === null ? null : commanded(from, { command, nowMs });
      if (from === null || to === null) continue;
      table.write(change, { index, from, to });
      changed.push(index);
    }
    if (changed.length === 0) return false;
    table.finish({ ...change, lastReply: null });
    const entry = { atMs: nowMs, recipients: changed, ...commandDone(command, by) };
    timeline(sequence, encodeEntry(entry));
    if (event !== undefined) announce(sequence, event, nowMs);
    return true;
  };

  return (request) => {
    const range = { after: request.after, limit: MESSAGES_PER_CALL, withinMs: SEARCH_MS };
    const found = findMessages(database, { filter: request.filter, range });
    let changed = 0;
    for (const sequence of found.sequences) if (apply(sequence, request)) changed += 1;
    return { changed, after: found.after };
  };
}

/** What an event says of a message; of one whose record is damaged, only its id. */
function recordedOf(
  [messageId, reversePath, record]: FactsRow,
): { messageId: string; message: RecordedMessage | null } {
  try {
    const { summary }: Pick<MessageRecord, "summary"> = JSON.parse(record);
    return { messageId, message: { reversePath, summary } };
  } catch {
    return { messageId, message: null };
  }
}
