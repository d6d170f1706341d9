import { type Clock, LOOK_AGAIN_MS, scheduleAt } from "../base/clock.ts";
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
  /** The time that leases are counted by, which no clock that is set moves. */
  readonly leaseNowMs: () => number;
  readonly window: ActiveWindow;
  /** Recipients of one domain in the window. */
  readonly perDomain: number;
  readonly tasks: TaskGroup;
  /** Nothing need be claimed before this time. */
  readonly gateUntilMs: (nowMs: number) => number;
  readonly paused: (nowMs: number) => ClaimRequest["paused"];
  /** Must put the messages into the window. */
  readonly onClaimed: (messages: readonly ClaimedMessage[]) => void;
  /** Called twice a minute. */
  readonly onHousekeeping: (nowMs: number) => void;
  readonly onError: (error: unknown) => void;
}

/** How soon to look again after the store failed to answer. */
const STORE_RETRY_MS = 5_000;
/** How soon to look again when something is due that the claim did not bring. */
const CROWDED_RETRY_MS = 1_000;

/**
 * Keeps the window filled with due mail: claims when something is due and there is room, knows
 * when something will be due, and renews the leases of what is in the window.
 */
export class Claimer {
  readonly #options: ClaimerOptions;
  #isClaiming = false;
  #mayBeDue = false;
  /** Domains that were at their limit at a claim, so that due mail of theirs may be left behind. */
  readonly #crowded = new Set<string>();
  #stopped = false;
  #wakeAtMs = Infinity;
  #cancelWake: (() => void) | null = null;
  #cancelRenewal: (() => void) | null = null;
  #cancelLook: (() => void) | null = null;
  #endWatch: (() => void) | null = null;

  constructor(options: ClaimerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#endWatch = this.#options.store.onChange(() => this.wake());
    this.#scheduleRenewal();
    this.#scheduleLook();
    this.wake();
  }

  /** Claims nothing more; a claim under way still ends. */
  stop(): void {
    this.#stopped = true;
    this.#endWatch?.();
    this.#cancelWake?.();
    this.#cancelRenewal?.();
    this.#cancelLook?.();
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
    this.#cancelWake?.();
    this.#wakeAtMs = atMs;
    const callback = (): void => {
      this.#wakeAtMs = Infinity;
      this.#cancelWake = null;
      this.wake();
    };
    this.#cancelWake = scheduleAt(this.#options.clock, { atMs, callback });
  }

  /** Recipients left the window, so that a claim may find room. */
  windowThinned(left: readonly { readonly domain: string }[]): void {
    if (this.#crowded.size > 0) {
      for (const { domain } of left) this.#domainThinned(domain);
    }
    if (this.#mayBeDue) this.wake();
  }

  /** Once half of a crowded domain's places are free a claim is worth its cost. */
  #domainThinned(domain: string): void {
    const { window, perDomain } = this.#options;
    if ((window.byDomain.get(domain) ?? 0) * 2 > perDomain) return;
    if (this.#crowded.delete(domain)) this.#mayBeDue = true;
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
      leaseFromMs: this.#options.leaseNowMs(),
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
    this.#crowded.clear();
    for (const [domain, count] of active) if (count >= perDomain) this.#crowded.add(domain);
    for (const domain of this.#crowded) this.#domainThinned(domain); // it may have meanwhile
    if (nextDueAtMs === null) return;
    if (nextDueAtMs > nowMs) return this.wakeAt(nextDueAtMs);
    if (claimed.length > 0) {
      this.#mayBeDue = true;
      return;
    }
    this.wakeAt(nowMs + CROWDED_RETRY_MS);
  }

  #scheduleRenewal(): void {
    const { clock, leaseMs, tasks } = this.#options;
    this.#cancelRenewal = clock.schedule(leaseMs / 3, () => {
      this.#scheduleRenewal();
      tasks.run(() => this.#renew());
    });
  }

  /**
   * Renews the claims on what is in the window. Others of this owner are left over from a claim or
   * a commit whose answer was lost: they are given back when their lease is over.
   */
  async #renew(): Promise<void> {
    const { clock, leaseMs, leaseNowMs, owner, store, window } = this.#options;
    const endedMs = leaseNowMs();
    const messageIds = [...window.entries].map(({ message }) => message.id);
    if (messageIds.length > 0) {
      await store.renew({ owner, messageIds, untilMs: endedMs + leaseMs });
    }
    if (await store.abandon({ owner, nowMs: clock.now(), endedMs }) > 0) this.wake();
  }

  /** The clock may be set while this sleeps; what is due is found soon all the same. */
  #scheduleLook(): void {
    const { clock, onHousekeeping } = this.#options;
    this.#cancelLook = clock.schedule(LOOK_AGAIN_MS, () => {
      this.#scheduleLook();
      onHousekeeping(clock.now());
      this.wake();
    });
  }
}
