import { seededRandom } from "../../src/base/random.ts";
import { reply } from "../../src/mail/reply.ts";
import type { Suppressions } from "../../src/delivery/look_ups.ts";
import { OperatorPauses } from "../../src/delivery/pauses.ts";
import type { RouteRule } from "../../src/delivery/route.ts";
import { createRouter } from "../../src/delivery/router.ts";
import { retryPolicy, type UncertainPolicy } from "../../src/delivery/retry.ts";
import type { NotificationMaker } from "../../src/delivery/notifications.ts";
import { Scheduler } from "../../src/delivery/scheduler.ts";
import type {
  DeliveryJob,
  DeliveryReport,
  Outcome,
  Transport,
} from "../../src/delivery/transport.ts";
import type { Classifier } from "../../src/delivery/classify/classifier.ts";
import type { Shaper } from "../../src/delivery/shaping/shaper.ts";
import type { Treatment } from "../../src/delivery/treatment.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import type { NewMessage, QueueStore } from "../../src/queue/store.ts";
import { ManualClock } from "../support/manual_clock.ts";

export const DELIVERED: Outcome = { kind: "delivered", reply: reply(250, "2.0.0", "OK") };
export const GREYLISTED: Outcome = { kind: "temporary", reply: reply(451, "4.7.1", "Greylisted") };
export const UNREACHABLE: Outcome = {
  kind: "broken",
  scope: "destination",
  reply: reply(451, "4.4.1", "Connection refused"),
};

/** A transport that answers from a function and counts what runs at once. */
export class FakeTransport implements Transport {
  readonly name: string;
  readonly kind: string;
  readonly maxConcurrency: number;
  readonly maxRecipients = 100;
  readonly jobs: DeliveryJob[] = [];
  running = 0;
  mostRunning = 0;
  readonly #answer: (job: DeliveryJob) => Outcome | Promise<Outcome>;

  constructor(
    { name = "out", kind = "fake", maxConcurrency = 20, answer = () => DELIVERED }: {
      name?: string;
      kind?: string;
      maxConcurrency?: number;
      answer?: (job: DeliveryJob) => Outcome | Promise<Outcome>;
    } = {},
  ) {
    this.name = name;
    this.kind = kind;
    this.maxConcurrency = maxConcurrency;
    this.#answer = answer;
  }

  destinationOf(domain: string): string {
    return domain;
  }

  async deliver(job: DeliveryJob): Promise<DeliveryReport> {
    this.jobs.push(job);
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const outcome = await this.#answer(job);
    this.running--;
    return {
      outcomes: job.recipients.map(() => outcome),
      remote: outcome.kind === "broken" ? null : { host: "h", address: "127.0.0.1", port: 25 },
      tls: null,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A scheduler with what it works on. */
export interface Bench {
  readonly clock: ManualClock;
  readonly store: QueueStore;
  readonly scheduler: Scheduler;
  readonly events: RelayEvent[];
  /** What the scheduler was told is paused. */
  readonly pauses: OperatorPauses;
  put(
    domain: string,
    options?: { recipients?: number; id?: string; route?: string },
  ): Promise<string>;
}

/** Makes a scheduler over a queue in memory; it is not started. */
export function setUp(
  {
    transports,
    routes = [transports.map(({ name }) => name)],
    rules = routes.map((names, index) => ({ name: `route${index}`, match: {}, transports: names })),
    treatment,
    shaper,
    classifier,
    uncertain = "retry",
    clock = new ManualClock(),
    notifications = () => [],
    window = 100,
    perDomain = 50,
    maxConcurrency = 100,
    store = openMemoryStore({ clock }),
    suppressions,
    throwing,
  }: {
    transports: FakeTransport[];
    routes?: string[][];
    rules?: readonly RouteRule[];
    treatment?: Treatment;
    shaper?: Shaper;
    classifier?: Classifier;
    uncertain?: UncertainPolicy;
    clock?: ManualClock;
    notifications?: NotificationMaker;
    window?: number;
    perDomain?: number;
    maxConcurrency?: number;
    store?: QueueStore;
    suppressions?: Suppressions;
    /** What throws whenever it is asked or told. */
    throwing?: "classifier" | "emit" | "onRefused" | "dialogues" | "retry";
  },
): Bench {
  const events: RelayEvent[] = [];
  const pauses = new OperatorPauses();
  const random = seededRandom(1);
  const schedule = { ...DEFAULT_RETRY_SCHEDULE, jitter: 0 };
  let count = 0;
  const scheduler = new Scheduler({
    store,
    clock,
    emit: (event) => throwing === "emit" ? fail() : events.push(event),
    owner: "node",
    leaseMs: 600_000,
    window: { recipients: window, perDomain, bodyBytes: 1_000_000 },
    destinations: { initialConcurrency: 5, downMs: 15_000, maxDownMs: 300_000 },
    maxConcurrency,
    pauses,
    ...(shaper === undefined ? {} : { shaper }),
    ...(suppressions === undefined ? {} : { suppressions }),
    ...(throwing === "classifier" ? { classifier: fail } : {}),
    ...(throwing === "dialogues" ? { dialogues: fail } : {}),
    ...(throwing === "onRefused" ? { onRefused: fail } : {}),
    ...(classifier === undefined ? {} : { classifier: () => classifier }),
    retry: throwing === "retry" ? fail : retryPolicy({ schedule, clock, random, uncertain }),
    notifications,
    router: createRouter(rules, {
      transports: new Map(transports.map((transport) => [transport.name, transport])),
      random,
      ...(treatment === undefined ? {} : { treatment }),
    }),
  });
  return {
    clock,
    store,
    scheduler,
    events,
    pauses,
    async put(
      domain,
      { recipients = 1, id = `ID${String(count++).padStart(14, "0")}`, route } = {},
    ) {
      const message = freshMessage({ id, domain, recipients, nowMs: clock.now() });
      await store.put(route === undefined ? message : { ...message, route });
      return id;
    },
  };
}

function fail(): never {
  throw new Error("made to fail");
}

/** A message that arrives at `nowMs`. */
export function freshMessage(
  { id, domain, recipients = 1, nowMs }: {
    id: string;
    domain: string;
    recipients?: number;
    nowMs: number;
  },
): NewMessage {
  const bytes = new TextEncoder().encode("Subject: x\r\n\r\nhello\r\n");
  return {
    id,
    receivedAtMs: nowMs,
    reversePath: "a@sender.example",
    body: "7BIT",
    smtpUtf8: false,
    origin: {
      listener: "smtp",
      clientAddress: "127.0.0.1",
      clientPort: 1,
      helo: "h",
      protocol: "ESMTP",
    },
    facts: {
      sizeBytes: bytes.length,
      eightBit: false,
      dotLines: 0,
      longestLineBytes: 10,
      lineOriented: true,
    },
    summary: { subject: "x", from: "", messageId: "" },
    expiresAtMs: nowMs + DEFAULT_RETRY_SCHEDULE.expireAfterMs,
    place: { kind: "inline", bytes },
    recipients: Array.from({ length: recipients }, (_, index) => ({
      forwardPath: `r${index}@${domain}`,
      domain,
      state: "queued" as const,
      nextAttemptAtMs: nowMs,
    })),
  };
}

/** The states of a message's recipients, joined by commas. */
export async function stateOf(store: QueueStore, id: string): Promise<string> {
  const detail = await store.get(id);
  return detail?.recipients.map(({ state }) => state).join(",") ?? "gone";
}
