import type { RecipientRecord } from "../queue/store.ts";
import type { Holding } from "./look_ups.ts";
import type { WindowEntry } from "./window.ts";

/** Recipients in the window that something will be done for, and by what. */
export interface Holder {
  /** In words, such as `the line at example.net`. */
  readonly name: string;
  readonly holdings: Iterable<Holding>;
}

/**
 * What contradicts that each recipient in the window has exactly one holder of its next step, in
 * words; empty when all is well. It takes time in proportion to the window.
 */
export function auditWindow(
  entries: Iterable<WindowEntry>,
  holders: Iterable<Holder>,
): string[] {
  const faults: string[] = [];
  const held = new Map<WindowEntry, Map<number, string>>();
  for (const entry of entries) held.set(entry, new Map());
  for (const { name, holdings } of holders) {
    for (const { entry, recipients } of holdings) {
      const places = held.get(entry);
      if (places !== undefined) hold(places, { name, entry, recipients, faults });
      else if (recipients.length > 0) {
        faults.push(`${entry.message.id} is with ${name} and not in the window`);
      }
    }
  }
  for (const [{ message, unsettled }, places] of held) {
    if (places.size === unsettled) continue;
    faults.push(`${places.size} of ${unsettled} recipients of ${message.id} have a next step`);
  }
  return faults;
}

function hold(
  places: Map<number, string>,
  { name, entry, recipients, faults }: {
    name: string;
    entry: WindowEntry;
    recipients: readonly RecipientRecord[];
    faults: string[];
  },
): void {
  for (const { index } of recipients) {
    const other = places.get(index);
    places.set(index, name);
    if (other === undefined) continue;
    faults.push(`Recipient ${index} of ${entry.message.id} is with ${other} and ${name}`);
  }
}
