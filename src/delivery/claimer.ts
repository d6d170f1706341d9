import type { Clock } from "../base/clock.ts";
import type { TaskGroup } from "../base/task_group.ts";
import type { ClaimedMessage, ClaimRequest, QueueStore } from "../queue/store.ts";
import type { ActiveWindow } from "./window.ts";

/** What the claimer needs and whom it tells. */
export interface ClaimerOptions {
  readonly store: QueueStore;
  readonly clock: Clock;
  /** Names this node in its claims. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly window: ActiveWindow;
  /** Recipients of one domain in the window. */
  readonly perDomain: number;
  readonly tasks: TaskGroup;
  /** Nothing need be claimed before this time. */
  readonly gateUntilMs: (nowMs: number) => number;
  readonly paused: (nowMs: number) => ClaimRequest["paused"];
  /** Must put the messages into the window. */
  readonly onClaimed: (messages: readonly ClaimedMessage[]) => void;
  /** Called now and then. */
  readonly onHousekeeping: (nowMs: number) => void;
  readonly onError: (error: unknown) => void;
}

/** How soon to look again after the store failed to answer. */
const STORE_RETRY_MS = 5_000;
/** How soon to look again when something is due that the claim did not bring. */
const CROWDED_RETRY_MS = 1_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Keeps the window filled with due mail: claims when something is due and there is room, knows
 * when something will be due, and renews the leases of what is in the window.
 */
export class Claimer {
  readonly #options: ClaimerOptions;
  #isClaiming = false;
  #mayBeDue = false;
  /** Recipients in the window at the last claim that found a domain at its limit; or 0. */
  #crowdedAt = 0;
  #stopped = false;
  #wakeAtMs = Infinity;
  #cancelWake: (() => void) | null = null;
  #cancelRenewal: (() => void) | null = null;
  #endWatch: (() => void) | null = null;

  constructor(options: ClaimerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#endWatch = this.#options.store.onChange(() => this.wake());
    this.#scheduleRenewal();
    this.wake();
  }

  /** Claims nothing more; a claim under way still ends. */
  stop(): void {
    this.#stopped = true;
    this.#endWatch?.();
    this.#cancelWake?.();
    this.#cancelRenewal?.();
  }

  /** Looks for due mail as soon as the window has room. Cheap to call often. */
  wake(): void {
    this.#mayBeDue = true;
    if (this.#stopped || this.#isClaiming || !this.#options.window.wantsMore) return;
    this.#isClaiming = true;
    this.#options.tasks.run(() => this.#claim());
  }

  /** Looks for due mail at a time, unless it does so earlier anyway. */
  wakeAt(atMs: number): void {
    if (this.#stopped || atMs >= this.#wakeAtMs) return;
    const { clock } = this.#options;
    this.#cancelWake?.();
    this.#wakeAtMs = atMs;
    const delayMs = Math.min(Math.max(0, atMs - clock.now()), MAX_TIMER_MS);
    this.#cancelWake = clock.schedule(delayMs, () => {
      this.#wakeAtMs = Infinity;
      this.#cancelWake = null;
      this.wake();
    });
  }

  /** Something left the window, so that a claim may find room. */
  windowThinned(): void {
    if (this.#crowdedAt > 0 && this.#options.window.recipients * 2 <= this.#crowdedAt) {
      this.#crowdedAt = 0;
      this.#mayBeDue = true;
    }
    if (this.#mayBeDue) this.wake();
  }

  async #claim(): Promise<void> {
    try {
      while (this.#mayBeDue && !this.#stopped && this.#options.window.wantsMore) {
        this.#mayBeDue = false;
        await this.#claimOnce();
      }
    } catch (error) {
      this.#options.onError(error);
      this.wakeAt(this.#options.clock.now() + STORE_RETRY_MS);
    } finally {
      this.#isClaiming = false;
    }
  }

  async #claimOnce(): Promise<void> {
    const { clock, store, owner, leaseMs, window, perDomain } = this.#options;
    const nowMs = clock.now();
    const gateUntilMs = this.#options.gateUntilMs(nowMs);
    if (gateUntilMs > nowMs) return this.wakeAt(gateUntilMs);
    const active = new Map(window.byDomain);
    const { claimed, nextDueAtMs } = await store.claim({
      nowMs,
      owner,
      leaseMs,
      limit: window.free,
      perDomain,
      active,
      paused: this.#options.paused(nowMs),
      bodyBudgetBytes: window.freeBodyBytes,
    });
    this.#options.onClaimed(claimed);
    for (const { recipients } of claimed) {
      for (const { domain } of recipients) active.set(domain, (active.get(domain) ?? 0) + 1);
    }
    const isCrowded = active.values().some((count) => count >= perDomain);
    if (isCrowded) this.#crowdedAt = Math.max(1, window.recipients);
    if (nextDueAtMs === null) return;
    if (nextDueAtMs > nowMs) return this.wakeAt(nextDueAtMs);
    if (claimed.length > 0) {
      this.#mayBeDue = true;
      return;
    }
    this.wakeAt(nowMs + CROWDED_RETRY_MS);
  }

  #scheduleRenewal(): void {
    const { clock, leaseMs, owner, store, tasks, window } = this.#options;
    this.#cancelRenewal = clock.schedule(leaseMs / 3, () => {
      this.#scheduleRenewal();
      this.#options.onHousekeeping(clock.now());
      const messageIds = [...window.entries].map(({ message }) => message.id);
      if (messageIds.length === 0) return;
      tasks.run(() => store.renew({ owner, messageIds, untilMs: clock.now() + leaseMs }));
    });
  }
}
