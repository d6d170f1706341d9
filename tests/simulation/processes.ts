import { PauseKeeper } from "../../src/app/admin/pause_keeper.ts";
import { StoreError } from "../../src/queue/store.ts";
import { checkStopped } from "./invariants.ts";
import { importMail } from "./import.ts";
import { isMadeUp } from "./made_up.ts";
import { MINUTE_MS, SECOND_MS, type Step, type Variant } from "./plan.ts";
import { WorldRelay } from "./relay.ts";
import { Life, type World } from "./world.ts";

const START_AGAIN_MS = 5 * SECOND_MS;
const LONGEST_STOP_MS = 10 * MINUTE_MS;
const IMPORT_AGAIN_MS = 10 * MINUTE_MS;
/** Numbers of lives from here on are of imports. */
const IMPORT_LIVES = 1_000;
/** And from here on of relays that find the folder taken. */
const RIVAL_LIVES = 2_000;

/** The processes that come and go in a world: the relay, and imports beside it. */
export class Processes {
  readonly #world: World;
  readonly #pausesPath: string;
  #variant: Variant;
  #relay: WorldRelay | null = null;
  #lives = 0;
  #imports = 0;
  #importsOpen = 0;
  /** While it is true somebody will start the relay. */
  #isDown = false;
  #stopping: Promise<void> = Promise.resolve();
  #frozenUntilMs = 0;

  constructor(world: World, { pausesPath }: { pausesPath: string }) {
    this.#world = world;
    this.#pausesPath = pausesPath;
    this.#variant = world.plan.variants[0] as Variant;
  }

  /** The relay that runs; null while none does. */
  get relay(): WorldRelay | null {
    return this.#relay;
  }

  /** The configuration that is in force, or will be from the next start on. */
  get variant(): Variant {
    return this.#variant;
  }

  /** For how long the process of the relay gets no turn yet. */
  get frozenMs(): number {
    return this.#frozenUntilMs - this.#world.clock.elapsedMs;
  }

  /** Imports that are not complete. */
  get importsOpen(): number {
    return this.#importsOpen;
  }

  /** Starts the relay if it is down, when a stop under way has ended. */
  async ensureRelay(): Promise<void> {
    await this.#stopping;
    if (this.#relay === null && this.#isDown) await this.start();
  }

  /** Starts the relay, again and again until the store lets it. */
  async start(): Promise<void> {
    this.#isDown = false;
    const world = this.#world;
    const life = new Life(++this.#lives);
    world.note(() => `the relay starts, life ${life.number}`);
    world.wereInForce.add(this.#variant);
    try {
      const store = await world.ground.open(life);
      const pauses = new PauseKeeper({ path: this.#pausesPath, clock: world.clock.viewFor(life) });
      if (world.plan.steps.some(mayPause)) await world.track(pauses.load());
      const relay = new WorldRelay({ world, life, store, variant: this.#variant, pauses });
      await relay.start();
      this.#relay = relay;
    } catch (error) {
      if (!isMadeUp(error)) throw error;
      world.note(() => `the relay cannot start: ${error}`);
      this.#isDown = true;
      this.#kill(life);
      world.after(START_AGAIN_MS, () => {
        if (this.#isDown) world.background(() => this.start());
      });
    }
  }

  /** Uses another configuration, as SIGHUP does. */
  reload(index: number): void {
    const variant = this.#world.plan.variants[index];
    if (variant === undefined) return;
    this.#variant = variant;
    if (this.#relay === null) return;
    this.#world.wereInForce.add(variant);
    this.#relay.reload(variant);
  }

  /** Ends the relay and starts it again after a while. */
  async restart({ how, downMs }: Extract<Step, { kind: "restart" }>): Promise<void> {
    if (this.#relay === null) return;
    const world = this.#world;
    this.#isDown = true;
    if (how === "kill") this.#kill();
    else await (this.#stopping = this.stop());
    world.after(downMs, () => {
      if (this.#isDown) world.background(() => this.start());
    });
  }

  /** Gives the process of the relay no turn for a while. */
  suspend(forMs: number): void {
    const world = this.#world;
    const life = this.#relay?.life;
    if (life === undefined || world.isFinishing) return;
    const { elapsedMs } = world.clock;
    const { steps, endMs } = world.plan;
    const calm = steps.find(({ kind, atMs }) => kind === "calm" && atMs > elapsedMs);
    const untilMs = Math.min(elapsedMs + forMs, calm?.atMs ?? endMs, endMs) - 1;
    if (untilMs <= elapsedMs) return;
    this.#frozenUntilMs = untilMs;
    world.clock.freeze([life, life.wires], untilMs - elapsedMs);
  }

  /** Another relay tries to start beside the one that runs. */
  async rival(): Promise<void> {
    const world = this.#world;
    if (this.#relay === null || !world.ground.isOwned) return;
    const life = new Life(RIVAL_LIVES + this.#lives);
    const ending = await world.ground.open(life).then(() => "it started", (error) => {
      if (error instanceof StoreError) return error.kind;
      throw error;
    });
    const left = world.ground.openOf(life);
    this.#endLife(life);
    const isOver = this.#relay === null; // it went while the other one came
    if (!isOver && (ending !== "locked" || left > 0)) {
      world.fail("one relay owns a folder", `a second one: ${ending}, ${left} files are open`);
    }
  }

  /** Imports until all is in the queue, through interruptions. */
  import(step: Extract<Step, { kind: "import" }>): void {
    this.#importsOpen++;
    this.#world.background(() => this.#import(step));
  }

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
      if (!isDone) world.background(() => this.#import(again));
    });
    let isDone = false;
    isDone = await importMail(step.mails, { world, life });
    this.#endLife(life);
    if (isDone) this.#importsOpen--;
  }

  /** As SIGTERM. */
  async stop(): Promise<void> {
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
    const waiting = world.waitFor(stopping);
    const isClean = await waiting;
    if (isClean) {
      // What the store refused to the end nobody knows of: it explains a repetition.
      if (relay.life.refused.size === 0) world.endedWell.add(relay.life.number);
      await checkStopped(world, relay.life);
    }
    this.#kill(relay.life);
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

  /** Nothing of a process goes on. */
  #endLife(life: Life): void {
    const { clock, ground } = this.#world;
    life.isAlive = false;
    clock.forget(life);
    clock.forget(life.wires);
    ground.killed(life);
  }
}

/** Whether a step may leave a file of pauses behind. */
export function mayPause(step: Step): boolean {
  return step.kind === "operate" &&
    (step.operation.kind === "pause" || step.operation.kind === "resume");
}
