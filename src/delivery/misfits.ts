import type { RecipientRecord } from "../queue/store.ts";
import { type Job, transportOf } from "./job.ts";
import type { Outcome, Transport } from "./transport.ts";

/** Recipients that are remembered at once; above it the oldest is forgotten. */
const MAX_REMEMBERED = 10_000;

/** Next hops change what they take, so nothing is remembered for longer. */
const REMEMBERED_MS = 3_600_000;

/** That a transport cannot carry a message: never, or not while some of its hosts are down. */
export type Unfit = Extract<Outcome, { kind: "unsuitable" | "broken" }>;

interface Misfit {
  /** What each transport said when it could not carry the message, and in which attempt. */
  readonly said: Map<Transport, { readonly outcome: Unfit; readonly attempts: number }>;
  readonly untilMs: number;
}

/**
 * Which transports could not carry which mail. Mail that comes back from the store, where it waited
 * for a limit of another transport of its route, is not tried by them again. Otherwise an attempt
 * that cannot succeed takes the place that a shared limit had for the one that would, each time
 * anew, until the mail expires.
 */
export class Misfits {
  readonly #misfits = new Map<string, Misfit>();

  /** Remembers that the transport of a job cannot carry its message to a recipient. */
  note(job: Job, { recipient, outcome, nowMs }: {
    recipient: RecipientRecord;
    outcome: Unfit;
    nowMs: number;
  }): void {
    const key = keyOf(job, recipient);
    const said: Misfit["said"] = this.#misfits.get(key)?.said ?? new Map();
    said.set(transportOf(job), { outcome, attempts: recipient.attempts });
    this.#misfits.delete(key); // so that it stands last
    this.#misfits.set(key, { said, untilMs: nowMs + REMEMBERED_MS });
    if (this.#misfits.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#misfits.keys()) return void this.#misfits.delete(oldest);
  }

  /** What the transport of a job said when it could not carry its message; null if it may. */
  find(
    job: Job,
    { recipient, nowMs }: { recipient: RecipientRecord; nowMs: number },
  ): Unfit | null {
    if (this.#misfits.size === 0) return null;
    const known = this.#misfits.get(keyOf(job, recipient));
    if (known === undefined || known.untilMs <= nowMs) return null;
    const last = known.said.get(transportOf(job));
    if (last === undefined || last.outcome.kind === "unsuitable") return last?.outcome ?? null;
    // What may suit it again is passed over for another transport, and only in the same attempt.
    const isPassedOver = last.attempts === recipient.attempts &&
      job.step + 1 < job.transports.length;
    return isPassedOver ? last.outcome : null;
  }

  /** Forgets everything, as other transports are in force. */
  clear(): void {
    this.#misfits.clear();
  }
}

function keyOf({ entry: { message } }: Job, { index }: RecipientRecord): string {
  return `${message.id} ${index}`;
}
