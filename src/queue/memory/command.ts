import type { CommandRequest, Readdressing, TimelineEntry } from "../store.ts";
import { commandDone, commanded, readdressed, readdressedEntry } from "../transition.ts";
import { fitting, recipientRecord, type StoredMessage, storedRecipient } from "./message.ts";

/** Does to one message what an operator commands; null when that changes nothing. */
export function applyCommand(
  message: StoredMessage,
  { filter, command, nowMs, by }: CommandRequest,
): TimelineEntry | null {
  if (command.kind === "delete") return null;
  const fit = fitting(message, filter) ?? [];
  if (command.kind === "readdress") {
    const fits = new Set(fit.map(({ fixed }) => fixed.index));
    return fits.size === 0 ? null : readdress(message, { command, fits, nowMs, by });
  }
  const changed: number[] = [];
  for (const recipient of fit) {
    const next = commanded(recipient.status, { command, nowMs });
    if (next === null) continue;
    recipient.status = next;
    changed.push(recipient.fixed.index);
  }
  if (changed.length === 0) return null;
  return { atMs: nowMs, recipients: changed, ...commandDone(command, by) };
}

function readdress(
  message: StoredMessage,
  { command, fits, nowMs, by }: {
    command: Readdressing;
    fits: ReadonlySet<number>;
    nowMs: number;
    by: string;
  },
): TimelineEntry | null {
  const { recipients } = message;
  const change = readdressed(recipients.map(recipientRecord), {
    command,
    fits: (index) => fits.has(index),
  });
  if (change === null) return null;
  const removed = change.cancel.map((index) => recipients[index]).filter((one) =>
    one !== undefined
  );
  for (const one of removed) one.status = { ...one.status, state: "cancelled", owner: null };
  const notify = removed[0]?.fixed.notify;
  for (const { forwardPath, domain } of change.add) {
    recipients.push(storedRecipient({
      ...{ forwardPath, domain, state: "queued", nextAttemptAtMs: nowMs },
      ...(notify === undefined ? {} : { notify }),
    }, { index: recipients.length, lease: undefined, nowMs }));
  }
  return readdressedEntry(change, { command, total: recipients.length, nowMs, by });
}
