import type { RelayParts } from "../../src/app/admin/parts.ts";
import { PauseKeeper } from "../../src/app/admin/pause_keeper.ts";
import { destinationsPort, transportsPort } from "../../src/app/admin/ways.ts";
import { queuePort } from "../../src/app/admin/queue.ts";
import { encodeText } from "../../src/base/bytes.ts";
import type { Clock } from "../../src/base/clock.ts";
import { idGenerator } from "../../src/base/ids.ts";
import { notificationMaker } from "../../src/delivery/bounce.ts";
import { Classifier } from "../../src/delivery/classify/classifier.ts";
import { KNOWN_REPLIES } from "../../src/delivery/classify/known.ts";
import type { Router } from "../../src/delivery/dispatcher.ts";
import { retryPolicy } from "../../src/delivery/retry.ts";
import { createRouter } from "../../src/delivery/router.ts";
import { Scheduler } from "../../src/delivery/scheduler.ts";
import { Shaper } from "../../src/delivery/shaping/shaper.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import { summarize } from "../../src/mail/summary.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { CountKeeper } from "../../src/queue/count_keeper.ts";
import { Intake } from "../../src/queue/intake.ts";
import { sendAgain } from "../../src/queue/send_again.ts";
import type { QueueStore } from "../../src/queue/store.ts";
import { SuppressionList } from "../../src/queue/suppressions.ts";
import { recordEvent } from "../../src/webhooks/event_body.ts";
import { type Dice, diceOf } from "./dice.ts";
import { isMadeUp } from "./made_up.ts";
import { WorldTransport } from "./next_hops.ts";
import { WireTransport } from "./wire_transport.ts";
import { DAY_MS, type PlannedMail, type TransportPlan, type Variant } from "./plan.ts";
import { type Life, stackOf, type World } from "./world.ts";

const HOSTNAME = "relay.example";

/** One life of a relay: the parts of `src/app.ts` that mail passes, put together as there. */
export class WorldRelay {
  readonly life: Life;
  readonly owner: string;
  readonly scheduler: Scheduler;
  readonly parts: RelayParts;
  readonly pauses: PauseKeeper;
  readonly suppressions: SuppressionList;
  readonly #world: World;
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #store: QueueStore;
  readonly #intake: Intake;
  readonly #shaper: Shaper;
  readonly #counts: CountKeeper;
  readonly #newId: () => string;
  readonly #sessions = new Set<Promise<unknown>>();
  #transports = new Map<string, WatchedTransport>();
  #isStopping = false;

  constructor(
    { world, life, store, variant, pauses }: {
      world: World;
      life: Life;
      store: QueueStore;
      variant: Variant;
      pauses: PauseKeeper;
    },
  ) {
    this.#world = world;
    this.life = life;
    this.#store = store;
    this.pauses = pauses;
    this.#clock = world.clock.viewFor(life);
    const { settings, seed } = world.plan;
    this.#dice = diceOf(seed, `relay ${life.number}`);
    const clock = this.#clock;
    this.#newId = idGenerator({ clock, random: this.#dice });
    this.owner = this.#newId();
    this.suppressions = new SuppressionList({ shelf: store.shelf, clock });
    const resolver = {
      mx: () => Promise.resolve({ kind: "temporary", reason: "timeout" } as const),
    };
    this.#shaper = new Shaper(variant.shaping, { clock, resolver });
    const onError = (error: unknown): void => this.#hear(troubleOf(error));
    this.#counts = new CountKeeper({
      ...{ book: this.#shaper.book, space: "limit counts", shelf: store.shelf, clock, onError },
    });
    const emit = (event: RelayEvent): void => this.#hear(event);
    this.#useTransports(variant);
    const { leaseMs, window, perDomain, bodyBytes, uncertain, retryMs, expireMs } = settings;
    const schedule = {
      ...{ delaysMs: retryMs, jitter: 0.1, expireAfterMs: expireMs },
      warnAfterMs: settings.warnAfterMs,
    };
    const classifier = new Classifier(KNOWN_REPLIES);
    this.scheduler = new Scheduler({
      ...{ store, clock, emit, owner: this.owner, leaseMs, record: recordEvent },
      window: { recipients: window, perDomain, bodyBytes },
      destinations: settings,
      maxConcurrency: settings.maxConcurrency,
      retry: retryPolicy({ schedule, clock, random: this.#dice, uncertain }),
      notifications: notificationMaker({
        ...{
          newId: this.#newId,
          hostname: HOSTNAME,
          postmaster: null,
          lifetimeMs: 2 * DAY_MS,
          emit,
        },
      }),
      router: this.#routerOf(variant),
      pauses: pauses.pauses,
      shaper: this.#shaper,
      suppressions: this.suppressions,
      classifier: () => classifier,
    });
    this.#intake = new Intake({
      ...{ store, scheduler: this.scheduler, clock, emit, record: recordEvent, summarize },
      newId: this.#newId,
      limits: { spoolThresholdBytes: settings.spoolThresholdBytes, expireMs },
    });
    this.parts = this.#makeParts();
  }

  /** As `Relay.start`. */
  async start(): Promise<void> {
    await this.suppressions.load();
    await this.#counts.load();
    this.scheduler.start();
  }

  /** A client hands a message over; true when it got its 250. */
  take(mail: PlannedMail): Promise<boolean> {
    const session = this.#take(mail);
    this.#sessions.add(session);
    return session.finally(() => this.#sessions.delete(session));
  }

  async #take(mail: PlannedMail): Promise<boolean> {
    if (this.#isStopping) return false;
    const nowMs = this.#clock.now();
    const octets = octetsOf(mail);
    const writer = this.#intake.begin({
      envelope: {
        reversePath: mail.sender,
        ...{ body: "7BIT", smtpUtf8: false } as const,
        ...(mail.holdMs === 0 ? {} : { extras: { holdUntilMs: nowMs + mail.holdMs } }),
        recipients: mail.recipients.map(({ mailbox, notify }) => ({
          forwardPath: mailbox,
          domain: domainOf(mailbox),
          ...(notify === undefined ? {} : { notify }),
        })),
      },
      origin: ORIGIN,
      head: (id) => encodeText(`Received: by ${HOSTNAME} id ${id}\r\n`),
    });
    for (let start = 0; start < octets.length; start += 1_000) {
      await writer.write(octets.subarray(start, start + 1_000));
    }
    if (mail.aborts) {
      await writer.abort();
      return false;
    }
    const result = await writer.commit(bodyFacts(octets));
    this.#world.note(() => `client of mail ${mail.number}, ${writer.id}: ${result.kind}`);
    if (result.kind === "failed" || !this.life.isAlive) return false;
    const mailboxes = mail.recipients.map(({ mailbox }) => mailbox);
    this.#world.ledger.accept(writer.id, { number: mail.number, mailboxes });
    return true;
  }

  /** As `Relay.reload`. */
  reload(variant: Variant): void {
    const before = new Map(this.#transports);
    this.#useTransports(variant);
    const kept = new Set(this.#transports.values());
    const gone = [...before.values()].filter((transport) => !kept.has(transport));
    for (const transport of gone) transport.retire();
    this.scheduler.replaceRouter(this.#routerOf(variant));
    this.#shaper.replaceRules(variant.shaping);
    this.scheduler.reshape();
    for (const transport of gone) transport.end();
  }

  /** As `Relay.stop`. */
  async stop(): Promise<void> {
    const { drainMs } = this.#world.plan.settings;
    const endMs = this.#clock.monotonic() + drainMs;
    this.#isStopping = true;
    let cancel = (): void => {};
    await Promise.race([
      Promise.allSettled([...this.#sessions]),
      new Promise<void>((resolve) => cancel = this.#clock.schedule(drainMs, resolve)),
    ]);
    cancel();
    await this.scheduler.stop({ limitMs: Math.max(0, endMs - this.#clock.monotonic()) });
    await this.#counts[Symbol.asyncDispose]();
    for (const transport of this.#transports.values()) await transport[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }

  /** What the relay does with its store from time to time. */
  async housekeeping(): Promise<void> {
    await this.#store.purge({ beforeMs: 0, limit: 1 });
  }

  get transports(): ReadonlyMap<string, WatchedTransport> {
    return this.#transports;
  }

  /** Settings that did not change keep their transport. */
  #useTransports({ transports }: Variant): void {
    const before = this.#transports;
    this.#transports = new Map(transports.map((plan) => {
      const kept = before.get(plan.name);
      const isSame = JSON.stringify(kept?.plan) === JSON.stringify(plan);
      const { life } = this;
      const transport = isSame && kept !== undefined
        ? kept
        : transportOf(plan, { world: this.#world, life });
      return [plan.name, transport];
    }));
  }

  #routerOf({ routes }: Variant): Router {
    return createRouter(routes, { transports: this.#transports, random: this.#dice });
  }

  /** Events are noted; trouble that the world did not make up is a fault. */
  #hear(event: RelayEvent): void {
    if (!this.life.isAlive) return;
    this.#world.note(() => `  event ${describe(event)}`);
    if (event.type !== "trouble" || event.level !== "error") return;
    const { cause, message } = event;
    if (isMadeUp(cause)) return;
    this.#world.fail("no trouble of its own making", `${message} ${stackOf(cause)}`);
  }

  #makeParts(): RelayParts {
    const newMail = () => {
      const { expireMs, spoolThresholdBytes } = this.#world.plan.settings;
      const nowMs = this.#clock.now();
      return { store: this.#store, newId: this.#newId, nowMs, expireMs, spoolThresholdBytes };
    };
    const { pauses } = this;
    const trackedPauses = { // their file is the machine's, so the world stands still for it
      pauses: pauses.pauses,
      pause: (...call: Parameters<PauseKeeper["pause"]>) =>
        this.#world.track(pauses.pause(...call)),
      resume: (...call: Parameters<PauseKeeper["resume"]>) =>
        this.#world.track(pauses.resume(...call)),
    };
    const parts = {
      ...{ store: this.#store, scheduler: this.scheduler, suppressions: this.suppressions },
      ...{ clock: this.#clock, pauses: trackedPauses, newMail, webhooks: { isEmpty: false } },
      sendAgain: (request: Parameters<RelayParts["sendAgain"]>[0]) => sendAgain(request, newMail()),
      events: (event: RelayEvent) => this.#hear(event),
      transports: () => this.#transports,
    };
    return parts as unknown as RelayParts; // the rest shows things, and commands nothing
  }

  get queue(): ReturnType<typeof queuePort> {
    return queuePort(this.parts);
  }

  get destinationsPort(): ReturnType<typeof destinationsPort> {
    return destinationsPort(this.parts);
  }

  get transportsPort(): ReturnType<typeof transportsPort> {
    return transportsPort(this.parts);
  }
}

type WatchedTransport = WorldTransport | WireTransport;

function transportOf(
  plan: TransportPlan,
  facts: { world: World; life: Life },
): WatchedTransport {
  const isWire = facts.world.plan.settings.hasWires && plan.kind !== "api";
  return isWire ? new WireTransport(plan, facts) : new WorldTransport(plan, facts);
}

const ORIGIN = {
  ...{ listener: "smtp", clientAddress: "192.0.2.1", clientPort: 4321 },
  ...{ helo: "client.example", protocol: "ESMTP" },
};

export function domainOf(mailbox: string): string {
  return mailbox.slice(mailbox.lastIndexOf("@") + 1);
}

function octetsOf({ number, sizeBytes }: PlannedMail): Uint8Array {
  const head = `Subject: mail ${number}\r\n\r\n`;
  const line = `${"x".repeat(70)}\r\n`;
  const lines = Math.ceil(Math.max(0, sizeBytes - head.length) / line.length);
  return encodeText(head + line.repeat(lines));
}

function troubleOf(cause: unknown): RelayEvent {
  return { type: "trouble", level: "error", component: "queue", message: String(cause), cause };
}

function describe({ type, ...facts }: RelayEvent): string {
  const words = Object.entries(facts).filter(([name]) => name !== "cause")
    .map(([name, value]) => `${name}=${value}`);
  return `${type} ${words.join(" ")}`;
}
