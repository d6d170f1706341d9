import { PauseKeeper } from "../../src/app/admin/pause_keeper.ts";
import {
  checkAtRest,
  checkEnd,
  checkMoved,
  checkNextSteps,
  checkOwners,
  checkSpool,
  checkStopped,
  dueNow,
  type DueThen,
  PATIENCE_MS,
  unfinished,
} from "./invariants.ts";
import type { Violation } from "./ledger.ts";
import { operate } from "./operators.ts";
import {
  type Act,
  type Happening,
  HOUR_MS,
  MINUTE_MS,
  type Operation,
  type Plan,
  type PlannedMail,
  SECOND_MS,
  type Step,
  type Variant,
} from "./plan.ts";
import { isMadeUp } from "./next_hops.ts";
import { WorldRelay } from "./relay.ts";
import { beset, type Prey } from "./ambush.ts";
import { importMail } from "./import.ts";
import { type Ground, Life, World } from "./world.ts";

/** What a life came to. */
export interface Verdict {
  /** Null when every rule held. */
  readonly violation: Violation | null;
  /** Empty unless it was asked for. */
  readonly trace: readonly string[];
  /** How long the world lasted. */
  readonly elapsedMs: number;
  /** How often something happened in it. */
  readonly turns: number;
}

/** What a world is run with. */
export interface RunOptions {
  readonly groundFor: (world: World) => Promise<Ground>;
  /** A folder of the world's own for small files, which it may leave behind. */
  readonly folder: string;
  readonly traces?: boolean;
}

/** Lives one plan to its end, or to the first broken rule. */
export async function simulate(plan: Plan, options: RunOptions): Promise<Verdict> {
  const world = new World(plan, { traces: options.traces ?? false });
  const ground = await options.groundFor(world);
  world.ground = ground;
  const onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    world.fail("no rejection goes uncaught", stackOf(event.reason));
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  try {
    await new Director(world, options.folder).run();
  } finally {
    if (plan.steps.some(mayPause)) await Deno.remove(pausesIn(options.folder)).catch(() => {});
    globalThis.removeEventListener("unhandledrejection", onRejection);
    await ground[Symbol.asyncDispose]();
  }
  const { violation, trace, clock, turns } = world;
  return { violation, trace: trace ?? [], elapsedMs: clock.elapsedMs, turns };
}

const CLIENT_RETRY_MS = 5 * MINUTE_MS;
const START_AGAIN_MS = 5 * SECOND_MS;
const LONGEST_STOP_MS = 10 * MINUTE_MS;
const IMPORT_AGAIN_MS = 10 * MINUTE_MS;
/** Numbers of lives from here on are of imports. */
const IMPORT_LIVES = 1_000;
/** How often an ambush looks. */
const LOOK_OUT_MS = 500;
/** What a process that gets no turn does later. */
const NEEDS_TURNS: ReadonlySet<Step["kind"]> = new Set(
  ["mail", "reload", "operate", "ambush", "suspend"] as const,
);

/** Makes the steps of the plan happen, then heals the world and waits for the end of all mail. */
class Director {
  readonly #world: World;
  readonly #pausesPath: string;
  #variant: Variant;
  #relay: WorldRelay | null = null;
  #lives = 0;
  #imports = 0;
  /** Imports that are not complete. */
  #importsOpen = 0;
  /** While it is true somebody will start the relay. */
  #isDown = false;
  /** Ends with the stop under way. */
  #stopping: Promise<void> = Promise.resolve();
  /** Until when the process of the relay gets no turn. */
  #frozenUntilMs = 0;
  /** Whether this is the only one who lets the world go on. */
  #isFinishing = false;

  constructor(world: World, folder: string) {
    this.#world = world;
    this.#pausesPath = pausesIn(folder);
    this.#variant = world.plan.variants[0] as Variant;
  }

  async run(): Promise<void> {
    const { plan: { steps, endMs } } = this.#world;
    this.#world.look = () => this.#look();
    this.#world.isIdle = () => this.#relay?.scheduler.activeRecipients === 0;
    this.#background(() => this.#start());
    for (const step of steps) this.#world.after(step.atMs, () => this.#happen(step));
    await this.#world.runUntil(endMs);
    if (this.#world.violation !== null) return;
    await this.#finish().catch((error) => {
      if (!(error instanceof BrokenOff)) throw error;
    });
  }

  #look(): void {
    if (this.#relay !== null) checkNextSteps(this.#world, this.#relay.scheduler.audit());
  }

  /** Ends all trouble, waits until everything is final, and looks at everything. */
  async #finish(): Promise<void> {
    const world = this.#world;
    world.note(() => "the world heals");
    // What expired while the clock was fast stays so when it is set back.
    const healedWallMs = world.clock.latestWallMs;
    await this.#heal();
    const giveUpMs = world.clock.elapsedMs + this.#longestWaitMs();
    for (let sliceMs = MINUTE_MS;; sliceMs = Math.min(HOUR_MS, 2 * sliceMs)) {
      await world.runUntil(world.clock.elapsedMs + sliceMs);
      if (world.violation !== null) return;
      const open = await unfinished(world);
      if (open.length === 0 && this.#importsOpen === 0) break;
      if (world.clock.elapsedMs > giveUpMs) {
        return world.fail("nothing is without a next step", open.slice(0, 5).join("; "));
      }
      await this.#releaseAll();
    }
    if (this.#relay !== null) await this.#waitFor(this.#relay.housekeeping());
    await checkEnd(world, { healedWallMs });
    if (world.violation !== null) return;
    this.#checkQuiet();
    await this.#stop();
    await checkSpool(world);
  }

  /** The longest time that a schedule, a client or a clock that was set back may ask for. */
  #longestWaitMs(): number {
    const { settings: { retryMs }, steps } = this.#world.plan;
    const backMs = steps.reduce(
      (sum, step) => sum + (step.kind === "clock" ? Math.max(0, -step.byMs) : 0),
      0,
    );
    return 2 * HOUR_MS + 6 * HOUR_MS + 1.1 * Math.max(...retryMs) + backMs;
  }

  /** At rest the relay holds nothing. */
  #checkQuiet(): void {
    const scheduler = this.#relay?.scheduler;
    if (scheduler !== undefined) checkAtRest(this.#world, scheduler);
  }

  #happen(step: Step): void {
    const world = this.#world;
    const frozenMs = this.#frozenUntilMs - world.clock.elapsedMs;
    const needsTurn = NEEDS_TURNS.has(step.kind) || step.kind === "restart" && step.how === "term";
    if (frozenMs > 0 && needsTurn) {
      if (this.#isFinishing) return;
      return world.after(frozenMs, () => this.#happen(step));
    }
    if (step.kind !== "mail") world.note(() => JSON.stringify({ ...step, atMs: undefined }));
    if (step.kind !== "mail" && step.kind !== "import") world.meddled();
    switch (step.kind) {
      case "mail":
        return this.#background(() => this.#mail(step.mail));
      case "weather":
        world.weather.add(step.weather);
        return world.after(step.weather.forMs, () => world.weather.delete(step.weather));
      case "store":
        world.storeTroubles.add(step.trouble);
        return world.after(step.trouble.forMs, () => world.storeTroubles.delete(step.trouble));
      case "clock":
        return world.clock.stepWall(step.byMs);
      case "reload":
        return this.#reload(step.variant);
      case "operate":
        return this.#background(async () => {
          if (this.#relay === null) return;
          await operate(this.#relay, { operation: step.operation, world });
        });
      case "restart":
        return this.#background(() => this.#restart(step));
      case "calm":
        return this.#background(() => this.#calm(step.forMs));
      case "ambush":
        return this.#ambush(step, world.clock.elapsedMs + step.forMs);
      case "import":
        this.#importsOpen++;
        return this.#background(() => this.#import(step));
      case "suspend":
        return this.#suspend(step.forMs);
    }
  }

  /** Looks again and again for mail that stands where it is wanted. */
  #ambush(step: Extract<Step, { kind: "ambush" }>, untilMs: number): void {
    const world = this.#world;
    if (this.#isFinishing || world.clock.elapsedMs > untilMs) return;
    const prey = this.#relay === null ? null : beset(this.#relay, { when: step.when, world });
    if (prey === null) return world.after(LOOK_OUT_MS, () => this.#ambush(step, untilMs));
    this.#happen({ atMs: step.atMs, ...this.#actOn(prey, step.act) });
  }

  #actOn({ number, transport }: Prey, act: Act): Happening {
    if (act.kind === "operate") {
      const { operation } = act;
      return { kind: "operate", operation: { ...operation, mail: number } as Operation };
    }
    if (act.kind !== "reload") return act;
    const without = this.#world.plan.variants.findIndex((variant) =>
      variant !== this.#variant && variant.transports.every(({ name }) => name !== transport)
    );
    return without < 0 ? act : { ...act, variant: without };
  }

  #suspend(forMs: number): void {
    const world = this.#world;
    const life = this.#relay?.life;
    if (life === undefined || this.#isFinishing) return;
    const { elapsedMs } = world.clock;
    const { steps, endMs } = world.plan;
    const calm = steps.find(({ kind, atMs }) => kind === "calm" && atMs > elapsedMs);
    const untilMs = Math.min(elapsedMs + forMs, calm?.atMs ?? endMs, endMs) - 1;
    if (untilMs <= elapsedMs) return;
    this.#frozenUntilMs = untilMs;
    world.clock.freeze([life, life.wires], untilMs - elapsedMs);
  }

  /** Imports until all is in the queue, through interruptions. */
  async #import(step: Extract<Step, { kind: "import" }>): Promise<void> {
    const world = this.#world;
    const life = new Life(IMPORT_LIVES + ++this.#imports);
    if (step.killAfterMs !== null) {
      world.after(step.killAfterMs, () => {
        if (life.isAlive) world.note(() => "the import is killed");
        this.#endLife(life);
      });
    }
    const again = { ...step, killAfterMs: null };
    // One that was killed does not say so.
    world.after(IMPORT_AGAIN_MS, () => {
      if (!isDone) this.#background(() => this.#import(again));
    });
    let isDone = false;
    isDone = await importMail(step.mails, { world, life });
    this.#endLife(life);
    if (isDone) this.#importsOpen--;
  }

  async #mail(mail: PlannedMail): Promise<void> {
    const world = this.#world;
    if (this.#isFinishing) return;
    const isTaken = await this.#relay?.take(mail) ?? false;
    if (isTaken || mail.aborts) return;
    world.after(CLIENT_RETRY_MS, () => this.#background(() => this.#mail(mail)));
  }

  #reload(index: number): void {
    const variant = this.#world.plan.variants[index];
    if (variant === undefined) return;
    this.#variant = variant;
    if (this.#relay === null) return;
    this.#world.wereInForce.add(variant);
    this.#relay.reload(variant);
  }

  async #restart({ how, downMs }: Extract<Step, { kind: "restart" }>): Promise<void> {
    if (this.#relay === null) return;
    this.#isDown = true;
    if (how === "kill") this.#kill();
    else await (this.#stopping = this.#stop());
    this.#world.after(downMs, () => {
      if (this.#isDown) this.#background(() => this.#start());
    });
  }

  async #start(): Promise<void> {
    this.#isDown = false;
    const world = this.#world;
    const life = new Life(++this.#lives);
    world.note(() => `the relay starts, life ${life.number}`);
    world.wereInForce.add(this.#variant);
    try {
      const store = await world.ground.open(life);
      const pauses = new PauseKeeper({ path: this.#pausesPath, clock: world.clock.viewFor(life) });
      await world.track(pauses.load());
      const relay = new WorldRelay({ world, life, store, variant: this.#variant, pauses });
      await relay.start();
      this.#relay = relay;
    } catch (error) {
      if (!isMadeUp(error)) throw error;
      world.note(() => `the relay cannot start: ${error}`);
      this.#isDown = true;
      this.#kill(life);
      world.after(START_AGAIN_MS, () => {
        if (this.#isDown) this.#background(() => this.#start());
      });
    }
  }

  /** Nothing of a process goes on. */
  #endLife(life: Life): void {
    const { clock, ground } = this.#world;
    life.isAlive = false;
    clock.forget(life);
    clock.forget(life.wires);
    ground.killed(life);
  }

  /** As `kill -9`. */
  #kill(life: Life | undefined = this.#relay?.life): void {
    if (life === undefined) return;
    const world = this.#world;
    this.#relay = null;
    this.#frozenUntilMs = 0;
    this.#endLife(life);
    for (const account of world.ledger.accounts) {
      if (account.openIn !== life.number) continue;
      world.ledger.end(account);
      // The next hop may have had all of it.
      const isTaken = world.roll(`taken at the kill ${account.mailbox}`) < 0.3;
      if (isTaken) account.takes.push({ life: life.number, transport: "?", told: "unsure" });
    }
  }

  /** As SIGTERM. */
  async #stop(): Promise<void> {
    const relay = this.#relay;
    if (relay === null) return;
    const world = this.#world;
    this.#relay = null;
    let hasEnded = false;
    const stopping = relay.stop().then(() => true, (error) => {
      if (!isMadeUp(error)) throw error;
      return false;
    }).finally(() => hasEnded = true);
    world.after(LONGEST_STOP_MS, () => {
      if (!hasEnded && world.isStoreWell) world.fail("SIGTERM ends the relay", "it still runs");
    });
    const waiting = this.#waitFor(stopping);
    const isClean = await waiting;
    if (isClean) {
      // What the store refused to the end nobody knows of: it explains a repetition.
      if (relay.life.refused.size === 0) world.endedWell.add(relay.life.number);
      await checkStopped(world, relay.life);
    }
    this.#kill(relay.life);
  }

  /** Lets the world go on until something has ended, where nobody else does. */
  async #waitFor<T>(work: Promise<T>): Promise<T> {
    if (!this.#isFinishing) return await work;
    let isOver = false;
    work.finally(() => isOver = true).catch(() => {});
    const world = this.#world;
    while (!isOver && world.violation === null) {
      await world.runUntil(world.clock.elapsedMs + SECOND_MS);
    }
    if (!isOver) throw new BrokenOff();
    return await work;
  }

  async #calm(forMs: number): Promise<void> {
    const world = this.#world;
    await this.#healNow();
    let due: DueThen = new Map();
    world.after(forMs - PATIENCE_MS, () =>
      this.#background(async () => {
        due = await dueNow(world);
        await checkOwners(world, this.#relay?.owner ?? null);
      }));
    world.after(forMs - 1, () => this.#background(() => checkMoved(world, due)));
  }

  async #heal(): Promise<void> {
    this.#isFinishing = true;
    await this.#waitFor(this.#healNow());
  }

  /** Ends all trouble, and starts the relay if it is down. */
  async #healNow(): Promise<void> {
    const world = this.#world;
    world.weather.clear();
    world.storeTroubles.clear();
    await this.#stopping;
    if (this.#relay === null && this.#isDown) await this.#start();
    const relay = this.#relay;
    if (relay === null) return;
    const { pauses } = relay.pauses;
    const nowMs = world.clock.wallMs;
    const resume = (what: "domain" | "transport", name: string) =>
      operate(relay, { operation: { kind: "resume", what, name, forMs: null }, world });
    for (const name of [...pauses.domains.all(nowMs).keys()]) await resume("domain", name);
    for (const name of [...pauses.transports.all(nowMs).keys()]) await resume("transport", name);
    await this.#releaseNow();
  }

  async #releaseAll(): Promise<void> {
    await this.#waitFor(this.#releaseNow());
  }

  async #releaseNow(): Promise<void> {
    if (this.#relay === null) return;
    const operation = { kind: "release", mail: null } as const;
    await operate(this.#relay, { operation, world: this.#world });
  }

  #background(work: () => Promise<void>): void {
    work().catch((error) => {
      if (!isMadeUp(error)) this.#world.fail("nothing throws", stackOf(error));
    });
  }
}

function pausesIn(folder: string): string {
  return `${folder}/pauses.json`;
}

/** Whether a step may leave a file of pauses behind. */
function mayPause(step: Step): boolean {
  return step.kind === "operate" &&
    (step.operation.kind === "pause" || step.operation.kind === "resume");
}

/** A rule was broken, so that what was waited for may never come. */
class BrokenOff extends Error {
  override readonly name = "BrokenOff";
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}
