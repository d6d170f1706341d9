import type { TaskGroup } from "../base/task_group.ts";
import { reply } from "../mail/reply.ts";
import { cutText, withoutControls } from "../mail/safe_text.ts";
import type { RecipientRecord } from "../queue/store.ts";
import type { Job } from "./job.ts";
import type { Outcome } from "./transport.ts";

/** Recipients of one message that something is about to be done for. */
export type Holding = Pick<Job, "entry" | "recipients">;

/** Recipients that get no mail; `SuppressionList` has this shape. */
export interface Suppressions {
  /** False when a mailbox is not suppressed; true when `find` has to be asked. */
  mayHave(mailbox: string): boolean;
  find(mailbox: string): Promise<{ readonly reason: string; readonly source: string } | null>;
}

export interface LookUpOptions {
  /** Null when everybody gets mail. */
  readonly suppressions: Suppressions | null;
  readonly tasks: TaskGroup;
  /** Recipients went on after a look-up. */
  readonly onReady: () => void;
  /** Recipients were recalled before they went on. */
  readonly onRecalled: (holding: Holding) => void;
  /** A look-up failed; its recipients have to be put somewhere with this outcome. */
  readonly onFailed: (holding: Holding, failure: { error: unknown; outcome: Outcome }) => void;
}

/** How long to wait when it cannot be told how, or whether, a recipient is to get mail. */
const RETRY_MS = 60_000;
const FAILED: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.4.3", "Cannot look up the route, see the relay's log"),
  counts: false,
  retryAfterMs: RETRY_MS,
};
const UNKNOWN: Outcome = {
  kind: "temporary",
  reply: reply(451, "4.3.0", "Cannot read the suppression list"),
  counts: false,
  retryAfterMs: RETRY_MS,
};

/** What recipients in the window wait for before it is known where they go. */
export class LookUps {
  readonly #options: LookUpOptions;
  readonly #waiting = new Set<Holding>();
  readonly #recalled = new Set<Holding>();

  constructor(options: LookUpOptions) {
    this.#options = options;
  }

  /** Those that wait. */
  get waiting(): Iterable<Holding> {
    return this.#waiting;
  }

  /** Lets some of them go back to the store when their look-up has ended. */
  recall(isMeant: (holding: Holding) => boolean): void {
    for (const holding of this.#waiting) if (isMeant(holding)) this.#recalled.add(holding);
  }

  /** Goes on with recipients when `ready` resolves. */
  begin<Found>(
    holding: Holding,
    { ready, proceed }: { ready: Promise<Found>; proceed: (found: Found) => void },
  ): void {
    const { tasks, onReady, onFailed, onRecalled } = this.#options;
    this.#waiting.add(holding);
    tasks.run(async () => {
      try {
        const found = await ready;
        this.#waiting.delete(holding);
        if (this.#recalled.delete(holding)) onRecalled(holding);
        else proceed(found);
      } catch (error) {
        this.#recalled.delete(holding);
        if (this.#waiting.delete(holding)) onFailed(holding, { error, outcome: FAILED });
        else throw error;
      }
      onReady();
    });
  }

  /** Those recipients that may be suppressed. */
  suspectsIn(recipients: readonly RecipientRecord[]): readonly RecipientRecord[] {
    const { suppressions } = this.#options;
    if (suppressions === null) return NOBODY;
    return recipients.filter(({ forwardPath }) => suppressions.mayHave(forwardPath));
  }

  /** Asks the store which recipients get no mail, and what that comes to for each. */
  async suppressed(
    suspects: readonly RecipientRecord[],
  ): Promise<ReadonlyMap<RecipientRecord, Outcome>> {
    const found = new Map<RecipientRecord, Outcome>();
    await Promise.all(suspects.map(async (recipient) => {
      const outcome = await this.#suppressionOf(recipient);
      if (outcome !== null) found.set(recipient, outcome);
    }));
    return found;
  }

  async #suppressionOf({ forwardPath }: RecipientRecord): Promise<Outcome | null> {
    try {
      const found = await this.#options.suppressions?.find(forwardPath) ?? null;
      if (found === null) return null;
      const why = found.reason === "" ? "" : `: ${found.reason}`;
      const text = cutText(withoutControls(`Recipient is on the suppression list${why}`), 300);
      return { kind: "permanent", reply: reply(550, "5.7.1", text), suppressed: true };
    } catch {
      return UNKNOWN;
    }
  }
}

const NOBODY: readonly RecipientRecord[] = [];
