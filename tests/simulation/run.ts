import {
  checkAtRest,
  checkEnd,
  checkMoved,
  checkNextSteps,
  checkOwners,
  checkProbes,
  checkSpool,
  dueNow,
  type DueThen,
  PATIENCE_MS,
  unfinished,
} from "./invariants.ts";
import type { Account, Violation } from "./ledger.ts";
import { operate } from "./operators.ts";
import {
  type Act,
  type Happening,
  HOUR_MS,
  MINUTE_MS,
  type Operation,
  type Plan,
  type PlannedMail,
  type Step,
} from "./plan.ts";
import { mayPause, Processes } from "./processes.ts";
import type { WorldRelay } from "./relay.ts";
import { beset, type Prey } from "./ambush.ts";
import { BrokenOff, type Ground, stackOf, World } from "./world.ts";

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
/** Numbers of mail from here on are of probes. */
const FIRST_PROBE = 900;
const LOST_FOR_MS = 100;
/** How often an ambush looks. */
const LOOK_OUT_MS = 500;
/** What a process that gets no turn does later. */
const NEEDS_TURNS: ReadonlySet<Step["kind"]> = new Set(
  ["mail", "reload", "operate", "ambush", "suspend"] as const,
);

/** Makes the steps of the plan happen, then heals the world and waits for the end of all mail. */
class Director {
  readonly #world: World;
  readonly #processes: Processes;

  constructor(world: World, folder: string) {
    this.#world = world;
    this.#processes = new Processes(world, { pausesPath: pausesIn(folder) });
  }

  get #relay(): WorldRelay | null {
    return this.#processes.relay;
  }

  async run(): Promise<void> {
    const { plan: { steps, endMs } } = this.#world;
    this.#world.look = () => this.#look();
    this.#world.isIdle = () => this.#relay?.scheduler.activeRecipients === 0;
    this.#world.background(() => this.#processes.start());
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
    const healedMs = world.clock.elapsedMs;
    const giveUpMs = healedMs + this.#longestWaitMs();
    const probes = await this.#sendProbes();
    for (let sliceMs = MINUTE_MS;; sliceMs = Math.min(HOUR_MS, 2 * sliceMs)) {
      await world.runUntil(world.clock.elapsedMs + sliceMs);
      if (world.violation !== null) return;
      if (world.clock.elapsedMs > healedMs + PATIENCE_MS) checkProbes(world, probes);
      const open = await unfinished(world);
      if (open.length === 0 && this.#processes.importsOpen === 0) break;
      if (world.clock.elapsedMs > giveUpMs) {
        return world.fail("nothing is without a next step", open.slice(0, 5).join("; "));
      }
      await this.#releaseAll();
    }
    if (this.#relay !== null) await this.#world.waitFor(this.#relay.housekeeping());
    await checkEnd(world, { healedWallMs });
    if (world.violation !== null) return;
    this.#checkQuiet();
    await this.#processes.stop();
    await checkSpool(world);
  }

  /** Fresh mail for each domain, which nothing is in the way of. */
  async #sendProbes(): Promise<readonly Account[]> {
    const { plan: { settings: { domains } }, ledger } = this.#world;
    const mails = domains.map((domain, place): PlannedMail => ({
      ...{ number: FIRST_PROBE + place, sender: "", recipients: [{ mailbox: `probe@${domain}` }] },
      ...{ sizeBytes: 100, aborts: false, holdMs: 0 },
    }));
    const taking = mails.map((mail) => this.#relay?.take(mail));
    await this.#world.waitFor(Promise.all(taking));
    return mails.flatMap(({ number, recipients }) =>
      ledger.idsOf(number).flatMap((id) =>
        recipients.map(({ mailbox }) => ledger.account(id, mailbox))
      )
    );
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
    const { frozenMs } = this.#processes;
    const needsTurn = NEEDS_TURNS.has(step.kind) || step.kind === "restart" && step.how === "term";
    if (frozenMs > 0 && needsTurn) {
      if (this.#world.isFinishing) return;
      return world.after(frozenMs, () => this.#happen(step));
    }
    if (step.kind !== "mail") world.note(() => JSON.stringify({ ...step, atMs: undefined }));
    if (step.kind !== "mail" && step.kind !== "import") world.meddled();
    switch (step.kind) {
      case "mail":
        return this.#world.background(() => this.#mail(step.mail));
      case "weather":
        world.weather.add(step.weather);
        return world.after(step.weather.forMs, () => world.weather.delete(step.weather));
      case "store":
        world.storeTroubles.add(step.trouble);
        return world.after(step.trouble.forMs, () => world.storeTroubles.delete(step.trouble));
      case "clock":
        return world.clock.stepWall(step.byMs);
      case "reload":
        return this.#processes.reload(step.variant);
      case "operate":
        return this.#world.background(async () => {
          if (this.#relay === null) return;
          await operate(this.#relay, { operation: step.operation, world });
        });
      case "restart":
        return this.#world.background(() => this.#processes.restart(step));
      case "calm":
        return this.#world.background(() => this.#calm(step.forMs));
      case "ambush":
        return this.#ambush(step, world.clock.elapsedMs + step.forMs);
      case "import":
        return this.#processes.import(step);
      case "rival":
        return world.background(() => this.#processes.rival());
      case "dns":
        world.dnsChanges.add(step.change);
        return world.after(step.change.forMs, () => world.dnsChanges.delete(step.change));
      case "suspend":
        return this.#processes.suspend(step.forMs);
    }
  }

  /** Looks again and again for mail that stands where it is wanted. */
  #ambush(step: Extract<Step, { kind: "ambush" }>, untilMs: number): void {
    const world = this.#world;
    if (this.#world.isFinishing || world.clock.elapsedMs > untilMs) return;
    const prey = this.#relay === null ? null : beset(this.#relay, { when: step.when, world });
    if (prey === null) return world.after(LOOK_OUT_MS, () => this.#ambush(step, untilMs));
    if (step.losesReply) {
      const trouble = { what: "lost_reply", forMs: LOST_FOR_MS, share: 1 } as const;
      this.#happen({ kind: "store", atMs: step.atMs, trouble });
    }
    this.#happen({ atMs: step.atMs, ...this.#actOn(prey, step.act) });
  }

  #actOn({ number, transport }: Prey, act: Act): Happening {
    if (act.kind === "operate") {
      const { operation } = act;
      return { kind: "operate", operation: { ...operation, mail: number } as Operation };
    }
    if (act.kind !== "reload") return act;
    const without = this.#world.plan.variants.findIndex((variant) =>
      variant !== this.#processes.variant &&
      variant.transports.every(({ name }) => name !== transport)
    );
    return without < 0 ? act : { ...act, variant: without };
  }

  async #mail(mail: PlannedMail): Promise<void> {
    const world = this.#world;
    if (this.#world.isFinishing) return;
    const isTaken = await this.#relay?.take(mail) ?? false;
    if (isTaken || mail.aborts) return;
    world.after(CLIENT_RETRY_MS, () => this.#world.background(() => this.#mail(mail)));
  }

  async #calm(forMs: number): Promise<void> {
    const world = this.#world;
    await this.#healNow();
    let due: DueThen = new Map();
    world.after(forMs - PATIENCE_MS, () =>
      this.#world.background(async () => {
        due = await dueNow(world);
        await checkOwners(world, this.#relay?.owner ?? null);
      }));
    world.after(forMs - 1, () => this.#world.background(() => checkMoved(world, due)));
  }

  async #heal(): Promise<void> {
    this.#world.isFinishing = true;
    await this.#world.waitFor(this.#healNow());
  }

  /** Ends all trouble, and starts the relay if it is down. */
  async #healNow(): Promise<void> {
    const world = this.#world;
    world.weather.clear();
    world.storeTroubles.clear();
    world.dnsChanges.clear();
    await this.#processes.ensureRelay();
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
    await this.#world.waitFor(this.#releaseNow());
  }

  async #releaseNow(): Promise<void> {
    if (this.#relay === null) return;
    const operation = { kind: "release", mail: null } as const;
    await operate(this.#relay, { operation, world: this.#world });
  }
}

function pausesIn(folder: string): string {
  return `${folder}/pauses.json`;
}
