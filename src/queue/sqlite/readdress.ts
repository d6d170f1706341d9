import type { CommandRequest, Readdressing, TimelineEntry } from "../store.ts";
import { readdressed, readdressedEntry } from "../transition.ts";
import { fittingRecipients } from "./fitting.ts";
import { stateAt } from "./counters.ts";
import { keyOf, POSITIONS } from "./key.ts";
import type { RecipientTable } from "./recipient.ts";
import type { Workbench } from "./workbench.ts";

type AddresseeRow = [forwardPath: string, state: number, extras: string | null];
type Request = CommandRequest & { readonly command: Readdressing; readonly sequence: number };

/** Makes the function that changes who gets a message; null when it changed nothing. */
export function readdresser(
  { database, counters }: Workbench,
  table: RecipientTable,
): (request: Request) => TimelineEntry | null {
  const select = database.prepare<AddresseeRow>(
    "SELECT forward_path, state, extras FROM recipients WHERE key >= ? AND key < ? ORDER BY key",
  );
  const insert = database.prepare<[receivedAtMs: number]>(
    `INSERT INTO recipients (key, forward_path, domain, extras, state, attempts, next_attempt_at,
       delay_notified, last_reply, received_at, size, listener)
     SELECT ?, ?, ?, ?, 0, 0, ?, 0, '', received_at, size, listener FROM facts WHERE seq = ?
     RETURNING received_at`,
  );
  const addText = database.prepare(
    "UPDATE facts SET text = text || char(10) || lower(?) WHERE seq = ?",
  );

  return ({ sequence, filter, command, nowMs, by }) => {
    const rows = select.all(keyOf(sequence, 0), keyOf(sequence + 1, 0));
    const fit = new Set(fittingRecipients(database, { sequence, filter }));
    const change = table.start({ sequence }, nowMs);
    if (change === null || fit.size === 0) return null;
    const result = readdressed(
      rows.map(([forwardPath, state], index) => ({ index, forwardPath, state: stateAt(state) })),
      { command, fits: (index) => fit.has(index) },
    );
    if (result === null || rows.length + result.add.length > POSITIONS) return null;
    for (const index of result.cancel) {
      const from = table.read(sequence, index);
      if (from === null) continue;
      table.write(change, { index, from, to: { ...from, state: "cancelled", owner: null } });
    }
    const extras = rows[result.cancel[0] ?? -1]?.[2] ?? null;
    result.add.forEach(({ forwardPath, domain }, position) => {
      const key = keyOf(sequence, rows.length + position);
      const [receivedAtMs = null] =
        insert.first(key, forwardPath, domain, notifyOf(extras), nowMs, sequence) ?? [];
      counters.addWaiting({ domain, state: 0, lastReply: "", receivedAtMs }, 1);
      addText.run(forwardPath, sequence);
    });
    table.added(change, result.add.length);
    table.finish({ ...change, lastReply: null });
    const total = rows.length + result.add.length;
    return readdressedEntry(result, { command, total, nowMs, by });
  };
}

/** What the one before wanted to be told of holds for the one in its place (RFC 3461 4.1). */
function notifyOf(extras: string | null): string | null {
  if (extras === null) return null;
  try {
    const { notify }: { notify?: unknown } = JSON.parse(extras);
    return notify === undefined ? null : JSON.stringify({ notify });
  } catch {
    return null;
  }
}
