import { reply } from "../../src/mail/reply.ts";
import type {
  DeliverOptions,
  DeliveryJob,
  DeliveryReport,
  Outcome,
  RateAllowance,
  Transport,
} from "../../src/delivery/transport.ts";
import type { Clock } from "../../src/base/clock.ts";
import { checkBegin, checkClaims } from "./invariants.ts";
import type { Account, Take } from "./ledger.ts";
import { MadeUpError } from "./made_up.ts";
import { MINUTE_MS, SECOND_MS, type Sky, type TransportPlan, type Weather } from "./plan.ts";
import type { Life, World } from "./world.ts";

const LONGEST_HANG_MS = 10 * MINUTE_MS;
/** From here on the message is on its way, and the next hop may have it whatever is heard of it. */
const SENT_SHARE = 0.6;

/** The next hops of one transport, seen through it: every outcome there is, when the weather says. */
export class WorldTransport implements Transport {
  readonly name: string;
  readonly kind: string;
  readonly sharedDestination?: string;
  readonly maxConcurrency: number;
  readonly maxRecipients: number;
  readonly plan: TransportPlan;
  readonly #world: World;
  readonly #life: Life;
  readonly #clock: Clock;
  #isEnded = false;

  constructor(plan: TransportPlan, { world, life }: { world: World; life: Life }) {
    this.plan = plan;
    this.name = plan.name;
    this.kind = plan.kind;
    this.maxConcurrency = plan.maxConcurrency;
    this.maxRecipients = plan.maxRecipients;
    if (plan.kind !== "mx") this.sharedDestination = `host of ${plan.name}`;
    this.#world = world;
    this.#life = life;
    this.#clock = world.clock.viewFor(life);
  }

  destinationOf(domain: string): string {
    return this.sharedDestination ?? domain;
  }

  async deliver(job: DeliveryJob, { signal }: DeliverOptions): Promise<DeliveryReport> {
    if (this.#isEnded) {
      this.#world.fail(
        "an attempt begins only by a transport in force",
        `${job.message.id} to ${job.domain} by ${this.name}`,
      );
    }
    const attempt = await this.#begin(job);
    const first = job.recipients[0]?.forwardPath ?? "";
    const sky = skyFor(this.#world, { transport: this.name, domain: job.domain, mailbox: first });
    const latencyMs = latencyOf(sky, this.#world.roll(`latency ${this.name} ${first}`));
    const share = await this.#wait(latencyMs, signal);
    this.#world.note(() =>
      `  ${this.name} ends ${job.message.id} (${sky ?? "fair"}${share < 1 ? ", aborted" : ""})`
    );
    return attempt.end({ sky, share });
  }

  /** Nothing may begin by it any more. */
  retire(): void {
    this.#isEnded = true;
  }

  /** The configuration has it no longer. */
  end(): void {
    this.#isEnded = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    return Promise.resolve();
  }

  async #begin(job: DeliveryJob): Promise<WorldAttempt> {
    const { ledger } = this.#world;
    const accounts = job.recipients.map(({ forwardPath }) =>
      ledger.account(job.message.id, forwardPath)
    );
    const attempt = new WorldAttempt(job, {
      ...{ accounts, plan: this.plan, world: this.#world, life: this.#life },
    });
    await attempt.begin();
    markMisfits(accounts, { sizeBytes: job.message.facts.sizeBytes, plan: this.plan });
    return attempt;
  }

  /** Resolves with the share of the time that passed; below 1 when it was aborted. */
  #wait(delayMs: number, signal: AbortSignal): Promise<number> {
    const startMs = this.#clock.monotonic();
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(0);
      const onAbort = (): void => {
        cancel();
        resolve(Math.min(0.999, (this.#clock.monotonic() - startMs) / delayMs));
      };
      const cancel = this.#clock.schedule(delayMs, () => {
        signal.removeEventListener("abort", onAbort);
        resolve(1);
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/** The weather for one attempt. */
export function skyFor(
  world: World,
  { mailbox, ...place }: { transport: string; domain: string; mailbox: string },
): Sky | null {
  for (const weather of world.weather) {
    if (!fits(weather, place)) continue;
    const name = `sky ${weather.sky} ${place.transport} ${mailbox}`;
    if (weather.share >= 1 || world.roll(name) < weather.share) return weather.sky;
  }
  return null;
}

/** Attempts for recipients begin, if nobody else is at them. */
export async function beginAll(
  accounts: readonly Account[],
  { world, life }: { world: World; life: Life },
): Promise<void> {
  world.attempts++;
  for (const account of accounts) {
    checkBegin(world, { account, life });
    world.ledger.begin(account, life.number);
  }
  await checkClaims(world, accounts);
}

/** Notes which attempts cannot succeed, as the transport does not carry such a message. */
export function markMisfits(
  accounts: readonly Account[],
  { sizeBytes, plan }: { sizeBytes: number; plan: TransportPlan },
): void {
  for (const account of accounts) {
    account.openBy = plan.name;
    account.isMisfit = sizeBytes > plan.limitBytes;
  }
}

function fits(
  weather: Weather,
  { transport, domain }: { transport: string; domain: string },
): boolean {
  return (weather.transport === null || weather.transport === transport) &&
    (weather.domain === null || weather.domain === domain);
}

/** From some milliseconds to half a minute, most of them short. */
function latencyOf(sky: Sky | null, roll: number): number {
  if (sky === "hang") return LONGEST_HANG_MS;
  const latencyMs = 5 * 6_000 ** (roll ** 3);
  return sky === "slow" ? 20 * latencyMs : latencyMs;
}

/** One attempt, with what the next hop does with each recipient. */
class WorldAttempt {
  readonly #job: DeliveryJob;
  readonly #accounts: readonly Account[];
  readonly #plan: TransportPlan;
  readonly #world: World;
  readonly #life: Life;

  constructor(job: DeliveryJob, { accounts, plan, world, life }: {
    accounts: readonly Account[];
    plan: TransportPlan;
    world: World;
    life: Life;
  }) {
    this.#job = job;
    this.#accounts = accounts;
    this.#plan = plan;
    this.#world = world;
    this.#life = life;
  }

  async begin(): Promise<void> {
    const mailboxes = this.#accounts.map(({ mailbox }) => mailbox).join(" ");
    this.#world.note(() => `  ${this.#plan.name} begins ${this.#job.message.id} for ${mailboxes}`);
    await beginAll(this.#accounts, { world: this.#world, life: this.#life });
  }

  end({ sky, share }: { sky: Sky | null; share: number }): DeliveryReport {
    for (const account of this.#accounts) this.#world.ledger.end(account);
    const outcomes = this.#outcomes(sky, share);
    const isReached = outcomes.some(({ kind }) => kind !== "broken");
    const remote = isReached
      ? { host: `mx.${this.#job.domain}`, address: "192.0.2.25", port: 25 }
      : null;
    const rate: RateAllowance | null = sky === "allowance"
      ? { remaining: 0, resetAfterMs: this.#timeOf("allowance") }
      : null;
    return { outcomes, remote, tls: null, ...(rate === null ? {} : { rate }) };
  }

  #outcomes(sky: Sky | null, share: number): readonly Outcome[] {
    const all = (outcome: Outcome): Outcome[] => this.#accounts.map(() => outcome);
    const { message } = this.#job;
    // Whether it fits is known before anything is sent, and whatever happens meanwhile.
    const isUnsuitable = message.facts.sizeBytes > this.#plan.limitBytes;
    if (isUnsuitable && sky !== "down" && sky !== "broken") {
      return all({ kind: "unsuitable", reply: reply(552, "5.3.4", "Too large for this way") });
    }
    if (share < SENT_SHARE) return all(ABORTED);
    if (share < 1) return this.#unsure("aborted");
    switch (sky) {
      case "down":
        return all({ kind: "broken", scope: "destination", reply: NOBODY });
      case "broken":
        return all({ kind: "broken", scope: "transport", reply: NO_KEY });
      case "limit":
        return all({ kind: "temporary", reply: BUSY, counts: false });
      case "limit_timed":
        return all({
          kind: "temporary",
          reply: BUSY,
          counts: false,
          retryAfterMs: this.#timeOf(sky),
        });
      case "slow_down":
        return all({ kind: "temporary", reply: BUSY, counts: false, slowsDown: true });
      case "pause":
        return all({ kind: "temporary", reply: BUSY, counts: false, pausesMs: this.#timeOf(sky) });
      case "greylist":
        return all({ kind: "temporary", reply: GREYLISTED, fromPeer: true });
      case "busy":
        return all({ kind: "temporary", reply: SHUTTING_DOWN, fromPeer: true });
      case "hang":
      case "uncertain":
        return this.#unsure(sky);
      case "throws":
        return this.#throw();
      case "reject":
        return this.#accounts.map((account) => this.#refuse(account));
      default:
        return this.#ordinary();
    }
  }

  /** What a next hop does that is well. */
  #ordinary(): readonly Outcome[] {
    const refused = this.#accounts.filter(({ mailbox }) => mailbox.startsWith("no"));
    const isBlamed = refused.length > 0 && this.#plan.kind === "api";
    return this.#accounts.map((account): Outcome => {
      if (refused.includes(account)) return this.#refuse(account);
      if (isBlamed) return { kind: "temporary", reply: BLAMED, counts: false };
      this.#take(account, "delivered");
      return { kind: "delivered", reply: OK };
    });
  }

  #refuse(account: Account): Outcome {
    account.refused = true;
    return { kind: "permanent", reply: NO_SUCH_USER, fromPeer: true };
  }

  /** The connection broke at the end: it may have been taken. */
  #unsure(why: string): readonly Outcome[] {
    const isTaken = this.#world.roll(`taken ${why} ${this.#accounts[0]?.mailbox}`) < 0.5;
    return this.#accounts.map((account): Outcome => {
      if (isTaken) this.#take(account, "unsure");
      account.unsure = true;
      return { kind: "uncertain", reply: LOST };
    });
  }

  #throw(): never {
    if (this.#world.roll(`throw late ${this.#accounts[0]?.mailbox}`) < 0.5) {
      for (const account of this.#accounts) this.#take(account, "unsure");
    }
    throw new MadeUpError("a transport has a bug");
  }

  #take(account: Account, told: Take["told"]): void {
    account.takes.push({ life: this.#life.number, transport: this.#plan.name, told });
  }

  #timeOf(why: string): number {
    const roll = this.#world.roll(`time ${why} ${this.#accounts[0]?.mailbox}`);
    return Math.round(SECOND_MS * 600 ** roll);
  }
}

const OK = reply(250, "2.0.0", "OK");
const NOBODY = reply(451, "4.4.1", "Connection refused");
const NO_KEY = reply(451, "4.7.8", "The key is wrong");
const BUSY = reply(451, "4.4.5", "Too much at once");
const GREYLISTED = reply(451, "4.7.1", "Greylisted");
const SHUTTING_DOWN = reply(421, "4.3.2", "Shutting down");
const BLAMED = reply(451, "4.3.0", "Not tried, as another recipient was refused");
const NO_SUCH_USER = reply(550, "5.1.1", "No such user");
const LOST = reply(451, "4.4.2", "The connection broke after the end of the message");
const ABORTED: Outcome = { kind: "temporary", reply: reply(451, "4.3.2", "Given up at the stop") };
