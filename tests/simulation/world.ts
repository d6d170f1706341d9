import type { MessageDetail, OutboxEvent, QueueStore } from "../../src/queue/store.ts";
import { setImmediate } from "node:timers";
import { WorldClock } from "./clock.ts";
import { diceOf, rollOf } from "./dice.ts";
import { Ledger, type Violation } from "./ledger.ts";
import { isMadeUp } from "./made_up.ts";
import {
  type DnsChange,
  type Plan,
  SECOND_MS,
  type StoreTrouble,
  type Variant,
  type Weather,
} from "./plan.ts";

const START_MS = Date.UTC(2026, 0, 5);

/** No plan comes near it; a relay that spins does. */
const MOST_TURNS = 300_000;

const TURNS_PER_LOOK = 40;
const MOST_CALLS_AT_ONCE = 20_000;

/** Of the machine, on its own clock: more than any file takes. */
const LONGEST_WORK_MS = 30_000;

/** One line of a trace. */
export type TraceLine = string;

/** The store that survives the relay, and a look at it that nothing disturbs. */
export interface Ground extends AsyncDisposable {
  /** Opens the store for one life of the relay. */
  open(life: Life, mode?: "relay" | "tool"): Promise<QueueStore>;
  /** The process of a life ended without a word. */
  killed(life: Life): void;
  /** Of how many attempts it is worth its time to look at the store before they begin. */
  readonly lookShare: number;
  peek(id: string): Promise<MessageDetail | null>;
  peekAll(): Promise<readonly MessageDetail[]>;
  /** Whether it makes a full disk itself, as the machine does. */
  readonly fillsUp: boolean;
  /** Whether it has one owner at a time. */
  readonly isOwned: boolean;
  /** Somebody else changed the queue. */
  changedElsewhere(): void;
  /** Files and connections that a life has open. */
  openOf(life: Life): number;
  /** What is left of large messages on disk, in files. */
  spoolFiles(): Promise<number>;
  /** All that the outbox was given. */
  outboxEvents(): Promise<readonly OutboxEvent[]>;
}

/** One life of the relay, from its start to its end. */
export class Life {
  readonly number: number;
  /** Owns the timers of what is between the relay and others: answers under way. */
  readonly wires = {};
  isAlive = true;
  /** Settlements that the store refused, until it takes them. */
  readonly refused = new Set<string>();
  /** Commits of fresh mail that are under way. */
  puts = 0;

  constructor(number: number) {
    this.number = number;
  }
}

/** Where a relay lives: its time, its weather, and all that is known outside of it. */
export class World {
  readonly plan: Plan;
  readonly clock: WorldClock;
  readonly ledger = new Ledger(() => this.clock.elapsedMs);
  readonly weather = new Set<Weather>();
  readonly storeTroubles = new Set<StoreTrouble>();
  readonly dnsChanges = new Set<DnsChange>();
  /** Variants that were in force at some time. */
  readonly wereInForce = new Set<Variant>();
  readonly trace: TraceLine[] | null;
  violation: Violation | null = null;
  #ground: Ground | null = null;
  /** Looks now and then, while nothing is going on, whether the relay contradicts itself. */
  look: (() => void) | null = null;
  /** Lives of relays that stopped in peace, so that nothing of theirs explains a repetition. */
  readonly endedWell = new Set<number>();
  /** Whether the end is awaited, by the only one who lets the world go on. */
  isFinishing = false;
  /** How many attempts began. */
  attempts = 0;
  /** Whether the relay that runs has nothing in its window; false while none runs. */
  isIdle: () => boolean = () => false;
  /** When something besides mail happened last. */
  meddledAtMs = 0;
  #realWork = 0;
  #callsNow = 0;
  #turns = 0;
  #tries = new Map<string, number>();

  constructor(plan: Plan, { traces }: { traces: boolean }) {
    this.plan = plan;
    this.trace = traces ? [] : null;
    this.clock = new WorldClock({
      dice: diceOf(plan.seed, "clock ranks"),
      startMs: START_MS,
      driftPpm: plan.settings.driftPpm,
    });
  }

  /** The store that survives. */
  get ground(): Ground {
    if (this.#ground === null) throw new Error("Cannot look at the store: there is none yet");
    return this.#ground;
  }

  set ground(ground: Ground) {
    this.#ground = ground;
  }

  /** Notes what happened, where somebody wants to read it. */
  note(text: () => string): void {
    this.trace?.push(`${formatElapsed(this.clock.elapsedMs)} ${text()}`);
  }

  /** A rule was broken; the first one counts. */
  fail(rule: string, detail: string): void {
    this.violation ??= { rule, detail };
    this.note(() => `BROKEN ${rule}: ${detail}`);
  }

  /** A roll for the next time that something of this name happens. */
  roll(name: string): number {
    const count = (this.#tries.get(name) ?? 0) + 1;
    this.#tries.set(name, count);
    return rollOf(this.plan.seed, `${name} ${count}`);
  }

  /** Whether a trouble of the store strikes now. */
  hasTrouble(what: StoreTrouble["what"]): boolean {
    for (const trouble of this.storeTroubles) {
      if (trouble.what !== what) continue;
      if (trouble.share >= 1 || this.roll(`store ${what}`) < trouble.share) return true;
    }
    return false;
  }

  /** Something happens from outside that may change what the relay does next. */
  meddled(): void {
    this.meddledAtMs = this.clock.elapsedMs;
  }

  /** Whether the store does all that it is asked. */
  get isStoreWell(): boolean {
    return this.storeTroubles.size === 0;
  }

  /** Waits for work of the machine, such as writing a file; the world stands still until then. */
  async track<T>(work: PromiseLike<T>): Promise<T> {
    this.#realWork++;
    try {
      return await work;
    } finally {
      this.#realWork--;
    }
  }

  /** Counts a call; false when so many come at one moment that they would never end. */
  mayCall(): boolean {
    if (++this.#callsNow <= MOST_CALLS_AT_ONCE) return true;
    this.fail("the relay comes to rest", `${MOST_CALLS_AT_ONCE} calls of the store at one moment`);
    return false;
  }

  /** Lets everything run that is ready. */
  async settle(): Promise<void> {
    this.#callsNow = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#realWork === 0) return;
    const startedMs = performance.now();
    while (this.#realWork > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (performance.now() - startedMs < LONGEST_WORK_MS) continue;
      throw new Error("Cannot go on: work of the machine does not end");
    }
  }

  /** Lives on until a time, or until a rule is broken. */
  async runUntil(untilMs: number): Promise<void> {
    do {
      await this.settle();
      if (++this.#turns > MOST_TURNS) {
        this.fail("the relay comes to rest", `it does not after ${MOST_TURNS} turns`);
      }
      if (this.#turns % TURNS_PER_LOOK === 0) this.look?.();
    } while (this.violation === null && this.clock.fireNext(untilMs));
  }

  /** Lets the world go on until something has ended, where nobody else does. */
  async waitFor<T>(work: Promise<T>): Promise<T> {
    if (!this.isFinishing) return await work;
    let isOver = false;
    work.finally(() => isOver = true).catch(() => {});
    while (!isOver && this.violation === null) {
      await this.runUntil(this.clock.elapsedMs + SECOND_MS);
    }
    if (!isOver) throw new BrokenOff();
    return await work;
  }

  /** Begins something that goes on by itself; what it throws is a fault unless it was wanted. */
  background(work: () => Promise<void>): void {
    work().catch((error) => {
      if (!isMadeUp(error)) this.fail("nothing throws", stackOf(error));
    });
  }

  /** How often something happened. */
  get turns(): number {
    return this.#turns;
  }

  /** Calls back after a time of the world's own. */
  after(delayMs: number, callback: () => void): void {
    this.clock.schedule(delayMs, { owner: this, callback });
  }
}

/** A rule was broken, so that what was waited for may never come. */
export class BrokenOff extends Error {
  override readonly name = "BrokenOff";
}

export function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}

/** A time as `2d 03:04:05.678`. */
export function formatElapsed(elapsedMs: number): string {
  const days = Math.floor(elapsedMs / 86_400_000);
  return `${days}d ${new Date(elapsedMs % 86_400_000).toISOString().slice(11, 23)}`;
}
