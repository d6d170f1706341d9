import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { reply } from "../../src/mail/reply.ts";
import { createRouter } from "../../src/delivery/router.ts";
import { retryPolicy } from "../../src/delivery/retry.ts";
import { Scheduler } from "../../src/delivery/scheduler.ts";
import type {
  DeliveryJob,
  DeliveryReport,
  Outcome,
  Transport,
} from "../../src/delivery/transport.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import type { NewMessage, QueueStore } from "../../src/queue/store.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const DELIVERED: Outcome = { kind: "delivered", reply: reply(250, "2.0.0", "OK") };
const GREYLISTED: Outcome = { kind: "temporary", reply: reply(451, "4.7.1", "Greylisted") };
const UNREACHABLE: Outcome = {
  kind: "broken",
  scope: "destination",
  reply: reply(451, "4.4.1", "Connection refused"),
};

/** A transport that answers from a function and counts what runs at once. */
class FakeTransport implements Transport {
  readonly name: string;
  readonly kind = "fake";
  readonly maxConcurrency: number;
  readonly maxRecipients = 100;
  readonly jobs: DeliveryJob[] = [];
  running = 0;
  mostRunning = 0;
  readonly #answer: (job: DeliveryJob) => Outcome | Promise<Outcome>;

  constructor(
    { name = "out", maxConcurrency = 20, answer = () => DELIVERED }: {
      name?: string;
      maxConcurrency?: number;
      answer?: (job: DeliveryJob) => Outcome | Promise<Outcome>;
    } = {},
  ) {
    this.name = name;
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

interface Bench {
  readonly clock: ManualClock;
  readonly store: QueueStore;
  readonly scheduler: Scheduler;
  readonly events: RelayEvent[];
  put(domain: string, options?: { recipients?: number; id?: string }): Promise<string>;
}

function setUp(
  { transports, routes = [transports.map(({ name }) => name)], window = 100, perDomain = 50 }: {
    transports: FakeTransport[];
    routes?: string[][];
    window?: number;
    perDomain?: number;
  },
): Bench {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock });
  const events: RelayEvent[] = [];
  const random = seededRandom(1);
  const schedule = { ...DEFAULT_RETRY_SCHEDULE, jitter: 0 };
  let count = 0;
  const scheduler = new Scheduler({
    store,
    clock,
    emit: (event) => events.push(event),
    owner: "node",
    leaseMs: 600_000,
    window: { recipients: window, perDomain, bodyBytes: 1_000_000 },
    destinations: { initialConcurrency: 5, downMs: 15_000, maxDownMs: 300_000 },
    maxConcurrency: 100,
    retry: retryPolicy({ schedule, clock, random }),
    notifications: () => [],
    router: createRouter(
      routes.map((names, index) => ({ name: `route${index}`, match: {}, transports: names })),
      new Map(transports.map((transport) => [transport.name, transport])),
    ),
  });
  return {
    clock,
    store,
    scheduler,
    events,
    async put(domain, { recipients = 1, id = `ID${String(count++).padStart(14, "0")}` } = {}) {
      await store.put(newMessage({ id, domain, recipients, nowMs: clock.now() }));
      return id;
    },
  };
}

function newMessage(
  { id, domain, recipients, nowMs }: {
    id: string;
    domain: string;
    recipients: number;
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

async function stateOf(store: QueueStore, id: string): Promise<string> {
  const detail = await store.get(id);
  return detail?.recipients.map(({ state }) => state).join(",") ?? "gone";
}

Deno.test("due mail goes out and is settled as delivered", async () => {
  const transport = new FakeTransport();
  const { clock, store, scheduler, put, events } = setUp({ transports: [transport] });
  const id = await put("a.example", { recipients: 3 });
  scheduler.start();
  await clock.advance(0);
  assertEquals(await stateOf(store, id), "delivered,delivered,delivered");
  assertEquals(transport.jobs.length, 1);
  assertEquals(events.filter(({ type }) => type === "delivered").length, 3);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a temporary failure is tried again after the schedule's delays", async () => {
  const transport = new FakeTransport({ answer: () => GREYLISTED });
  const { clock, store, scheduler, put } = setUp({ transports: [transport] });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(transport.jobs.length, 1);
  await clock.advance(59_000);
  assertEquals(transport.jobs.length, 1);
  await clock.advance(1_000);
  assertEquals(transport.jobs.length, 2);
  await clock.advance(120_000);
  assertEquals(transport.jobs.length, 3);
  const detail = await store.get(id);
  assertEquals(detail?.recipients[0]?.attempts, 3);
  assertEquals(detail?.recipients[0]?.lastReply, "451 4.7.1 Greylisted");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("mail that never gets through expires after four days", async () => {
  const transport = new FakeTransport({ answer: () => GREYLISTED });
  const { clock, store, scheduler, put } = setUp({ transports: [transport] });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(DEFAULT_RETRY_SCHEDULE.expireAfterMs + 1_000);
  assertEquals(await stateOf(store, id), "expired");
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a transport that does not work hands over to the next of the route", async () => {
  const first = new FakeTransport({ name: "first", answer: () => UNREACHABLE });
  const second = new FakeTransport({ name: "second" });
  const { clock, store, scheduler, put } = setUp({ transports: [first, second] });
  const ids = [await put("a.example"), await put("a.example")];
  scheduler.start();
  await clock.advance(0);
  for (const id of ids) assertEquals(await stateOf(store, id), "delivered");
  const attempts = (await store.get(ids[0] ?? ""))?.timeline.filter(({ kind }) =>
    kind === "attempt"
  );
  assertEquals(attempts?.map(({ detail }) => detail.transport), ["first", "second"]);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("a dead destination is probed by one attempt, and its mail is not counted against it", async () => {
  let alive = false;
  const transport = new FakeTransport({ answer: () => alive ? DELIVERED : UNREACHABLE });
  const { clock, store, scheduler, put, events } = setUp({ transports: [transport] });
  const ids: string[] = [];
  for (let count = 0; count < 30; count++) ids.push(await put("dead.example"));
  scheduler.start();
  await clock.advance(0);
  const firstCrowd = transport.jobs.length;
  assert(firstCrowd <= 5, `${firstCrowd} attempts before it was known to be down`);
  await clock.advance(16_000);
  assert(transport.jobs.length <= firstCrowd + 1, "more than one probe");
  alive = true;
  await clock.advance(600_000);
  for (const id of ids) assertEquals(await stateOf(store, id), "delivered");
  const counted = await Promise.all(ids.map(async (id) => (await store.get(id))?.recipients[0]));
  assert(counted.filter((recipient) => (recipient?.attempts ?? 0) > 2).length === 0);
  assertEquals(events.filter(({ type }) => type === "destination_up").length, 1);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("one slow destination does not hold up the others", async () => {
  let finish: (outcome: Outcome) => void = () => {};
  const slow = new Promise<Outcome>((resolve) => finish = resolve);
  const transport = new FakeTransport({
    answer: (job) => job.domain === "slow.example" ? slow : DELIVERED,
  });
  const { clock, store, scheduler, put } = setUp({ transports: [transport], perDomain: 20 });
  for (let count = 0; count < 200; count++) await put("slow.example");
  const others: string[] = [];
  for (let count = 0; count < 300; count++) others.push(await put(`d${count}.example`));
  scheduler.start();
  await clock.advance(10_000);
  for (const id of others) assertEquals(await stateOf(store, id), "delivered");
  finish(DELIVERED);
  for (let round = 0; round < 20; round++) await settle();
  assertEquals((await store.stats()).recipients.delivered, 500);
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("concurrency to a destination starts low, grows on success and has a ceiling", async () => {
  const pending: (() => void)[] = [];
  const transport = new FakeTransport({
    maxConcurrency: 8,
    answer: () => new Promise((resolve) => pending.push(() => resolve(DELIVERED))),
  });
  const { clock, scheduler, put } = setUp({
    transports: [transport],
    window: 1000,
    perDomain: 900,
  });
  for (let count = 0; count < 300; count++) await put("a.example");
  scheduler.start();
  await clock.advance(0);
  assertEquals(transport.running, 5);
  for (let round = 0; round < 30; round++) {
    for (const release of pending.splice(0)) release();
    await settle();
  }
  assertEquals(transport.mostRunning, 8);
  while (pending.length > 0) {
    for (const release of pending.splice(0)) release();
    await clock.advance(1);
  }
  await scheduler.stop({ limitMs: 0 });
});

Deno.test("stopping gives every claim back", async () => {
  let aborted = false;
  const transport = new FakeTransport({
    answer: () => new Promise<Outcome>(() => {}),
  });
  transport.deliver = (
    job,
    { signal }: { signal: AbortSignal } = { signal: AbortSignal.abort() },
  ) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => {
        aborted = true;
        resolve({ outcomes: job.recipients.map(() => UNREACHABLE), remote: null, tls: null });
      })
    );
  const { clock, store, scheduler, put } = setUp({ transports: [transport] });
  for (let count = 0; count < 40; count++) await put("a.example");
  scheduler.start();
  await clock.advance(0);
  const stopped = scheduler.stop({ limitMs: 5_000 });
  await clock.advance(5_000);
  await stopped;
  assert(aborted);
  const page = await store.list({ filter: {}, limit: 100 });
  for (const { message } of page.items) {
    const detail = await store.get(message.id);
    assertEquals(detail?.recipients[0]?.claimedBy, null);
    assertEquals(detail?.recipients[0]?.state, "queued");
  }
});

Deno.test("recipients that no route fits wait with a clear reason", async () => {
  const transport = new FakeTransport();
  const { clock, store, scheduler, put } = setUp({ transports: [transport], routes: [] });
  const id = await put("a.example");
  scheduler.start();
  await clock.advance(0);
  const detail = await store.get(id);
  assertEquals(detail?.recipients[0]?.lastReply, "450 4.4.4 No route fits this recipient");
  await scheduler.stop({ limitMs: 0 });
});
