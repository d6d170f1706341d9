import type { TaskGroup } from "../base/task_group.ts";
import {
  type ClaimedMessage,
  type QueueStore,
  type RecipientRecord,
  StoreError,
} from "../queue/store.ts";
import type { Attempts } from "./attempts.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Job } from "./job.ts";
import type { Lines } from "./lines.ts";
import type { Holding } from "./look_ups.ts";
import type { Settler } from "./settler.ts";
import type { ActiveWindow, WindowEntry } from "./window.ts";

/** Who may hold recipients that a claim brings once more. */
export interface OverlapOptions {
  readonly window: ActiveWindow;
  readonly lines: Lines<Job>;
  readonly attempts: Attempts;
  readonly dispatcher: Dispatcher;
  readonly settler: Settler;
  readonly store: QueueStore;
  /** Names this node in its claims. */
  readonly owner: string;
  readonly tasks: TaskGroup;
  /** Recipients that may enter the window after all. */
  readonly onFree: (claimed: ClaimedMessage) => void;
}

/**
 * Recipients that a claim brings while this node still does something for them. Operators who hold
 * and release a message, or return it, end its claim, so that it may be claimed again before its
 * attempt has ended, or before a settlement is on disk. Two attempts at once would deliver it twice.
 */
export class Overlaps {
  readonly #options: OverlapOptions;
  /** What a claim brought while a settlement of the entry was under way. */
  readonly #late = new Map<WindowEntry, ClaimedMessage[]>();

  constructor(options: OverlapOptions) {
    this.#options = options;
  }

  /** Those recipients of a claim that may enter the window. */
  freeIn(claimed: ClaimedMessage): readonly RecipientRecord[] {
    if (!this.#options.window.mayHold(claimed)) return claimed.recipients;
    this.#takeFromLines(claimed);
    const busy = new Set([...this.#underWay(claimed), ...this.#unsettled(claimed)]);
    return claimed.recipients.filter(({ index }) => !busy.has(index));
  }

  /** A settlement is on disk: it may have ended the claim that was held up by it, or not. */
  settled(entry: WindowEntry, recipients: readonly RecipientRecord[]): void {
    const late = this.#late.get(entry);
    if (late === undefined) return;
    const indices = indicesOf(recipients);
    this.#late.delete(entry);
    for (const claimed of late) {
      const [over, others] = split(claimed.recipients, indices);
      if (others.length > 0) this.#wait(entry, { ...claimed, recipients: others });
      if (over.length === 0) continue;
      this.#options.tasks.run(() => this.#goOn({ message: claimed.message, recipients: over }));
    }
  }

  /** Goes on with what this node still has a claim on; where the store cannot tell, it ends. */
  async #goOn({ message, recipients }: ClaimedMessage): Promise<void> {
    const { store, owner, onFree, window, dispatcher } = this.#options;
    try {
      const detail = await store.get(message.id);
      const own = recipients.filter(({ index }) => detail?.recipients[index]?.claimedBy === owner);
      if (own.length > 0) onFree({ message, recipients: own });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      dispatcher.giveBack({ entry: window.enter({ message, recipients }), recipients });
    }
  }

  /** What waits in line goes on as it stands in the store now. */
  #takeFromLines(claimed: ClaimedMessage): void {
    const { lines, window, dispatcher } = this.#options;
    const indices = indicesOf(claimed.recipients);
    for (const { entry, recipients } of lines.take(isOf(claimed))) {
      const [again, others] = split(recipients, indices);
      if (again.length > 0) window.leave(entry, again);
      if (others.length > 0) dispatcher.enter(entry, others);
    }
  }

  /** Those that something is under way for, which will settle them by the new claim. */
  #underWay(claimed: ClaimedMessage): number[] {
    const { attempts, dispatcher } = this.#options;
    const isMeant = isOf(claimed);
    attempts.recall(isMeant);
    dispatcher.recall(isMeant);
    return [...attempts.jobs, ...dispatcher.lookUps].filter(isMeant)
      .flatMap(({ recipients }) => recipients.map(({ index }) => index));
  }

  #unsettled(claimed: ClaimedMessage): number[] {
    const pending = [...this.#options.settler.pending].filter(isOf(claimed));
    return pending.flatMap(({ entry, recipients }) => {
      const [again] = split(claimed.recipients, indicesOf(recipients));
      if (again.length > 0) this.#wait(entry, { message: claimed.message, recipients: again });
      return again.map(({ index }) => index);
    });
  }

  #wait(entry: WindowEntry, claimed: ClaimedMessage): void {
    const late = this.#late.get(entry);
    if (late === undefined) this.#late.set(entry, [claimed]);
    else late.push(claimed);
  }
}

function isOf({ message: { id } }: ClaimedMessage): (holding: Holding) => boolean {
  return ({ entry }) => entry.message.id === id;
}

function indicesOf(recipients: readonly RecipientRecord[]): ReadonlySet<number> {
  return new Set(recipients.map(({ index }) => index));
}

function split(
  recipients: readonly RecipientRecord[],
  indices: ReadonlySet<number>,
): [RecipientRecord[], RecipientRecord[]] {
  return [
    recipients.filter(({ index }) => indices.has(index)),
    recipients.filter(({ index }) => !indices.has(index)),
  ];
}
