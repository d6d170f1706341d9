import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { NoConnection } from "../../src/base/http_request.ts";
import { seededRandom } from "../../src/base/random.ts";
import { retryPolicy } from "../../src/delivery/retry.ts";
import { createRouter } from "../../src/delivery/router.ts";
import { Scheduler } from "../../src/delivery/scheduler.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import type { NewMessage } from "../../src/queue/store.ts";
import { createRelay } from "../../src/relay/mod.ts";
import { ManualClock } from "../support/manual_clock.ts";

const MESSAGES = 10_000;
const DOMAINS = 40;
const OUTAGE_MS = 10 * 60_000;
const WINDOW_MS = 10_000;
const PER_WINDOW = 250;
const CONCURRENCY = 10;

/** Mailgun as the relay sees it: away for a time, then back with a rate limit that it tells. */
class FakeProvider {
  readonly taken: number[] = [];
  readonly #clock: ManualClock;
  readonly #backAtMs: number;
  requestsWhileAway = 0;
  refusedForRate = 0;
  underWay = 0;
  #windowStartMs = 0;
  #inWindow = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.#backAtMs = clock.now() + OUTAGE_MS;
  }

  readonly fetch = async (_url: string, { body }: RequestInit): Promise<Response> => {
    this.underWay++;
    try {
      if (this.#clock.now() >= this.#backAtMs) return this.#take(await textOf(body));
      this.requestsWhileAway++;
      // At first nobody answers, and so nothing is sent; later somebody who cannot.
      if (this.#backAtMs - this.#clock.now() >= OUTAGE_MS / 2) {
        throw new NoConnection("refused", { message: "connection refused" });
      }
      await textOf(body);
      return new Response("", { status: 503 });
    } finally {
      this.underWay--;
    }
  };

  #take(text: string): Response {
    const nowMs = this.#clock.now();
    if (nowMs >= this.#windowStartMs + WINDOW_MS) {
      [this.#windowStartMs, this.#inWindow] = [nowMs, 0];
    }
    const resetMs = this.#windowStartMs + WINDOW_MS - nowMs;
    const limit = { "x-ratelimit-reset": String(Math.ceil(resetMs / 1000)) };
    if (this.#inWindow >= PER_WINDOW) {
      this.refusedForRate++;
      const headers = { ...limit, "x-ratelimit-remaining": "0" };
      return new Response("", { status: 429, headers });
    }
    this.#inWindow++;
    const number = Number(/^Subject: (\d+)/m.exec(text)?.[1]);
    this.taken.push(number);
    const headers = { ...limit, "x-ratelimit-remaining": String(PER_WINDOW - this.#inWindow) };
    return new Response(JSON.stringify({ id: `<${number}@mg>` }), { status: 200, headers });
  }
}

async function textOf(body: RequestInit["body"]): Promise<string> {
  assert(body instanceof Blob);
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of body.stream()) text += decoder.decode(chunk, { stream: true });
  return text;
}

/** Number `number` of the backlog; higher numbers came later. */
function waiting(number: number, nowMs: number): NewMessage {
  const bytes = encodeText(`Subject: ${number}\r\n\r\ntext\r\n`);
  const receivedAtMs = nowMs - MESSAGES + number;
  const domain = `d${number % DOMAINS}.test`;
  return {
    id: `01WAITING${String(number).padStart(7, "0")}`,
    receivedAtMs,
    reversePath: "ada@source.test",
    body: "7BIT",
    smtpUtf8: false,
    origin: { listener: "x", clientAddress: "", clientPort: 0, helo: "", protocol: "ESMTP" },
    facts: {
      ...{ sizeBytes: bytes.length, eightBit: false, dotLines: 0 },
      ...{ longestLineBytes: 20, lineOriented: true },
    },
    summary: { subject: String(number), from: "", messageId: "" },
    expiresAtMs: nowMs + DEFAULT_RETRY_SCHEDULE.expireAfterMs,
    place: { kind: "inline", bytes },
    recipients: [
      { forwardPath: `u@${domain}`, domain, state: "queued", nextAttemptAtMs: receivedAtMs },
    ],
  };
}

/** Moves the time on in steps, and lets requests under way end in each. */
async function pass(
  { clock, provider, byMs, stepMs }: {
    clock: ManualClock;
    provider: FakeProvider;
    byMs: number;
    stepMs: number;
  },
): Promise<void> {
  for (let passedMs = 0; passedMs < byMs; passedMs += stepMs) {
    await clock.advance(stepMs);
    let idleTurns = 0;
    while (idleTurns < 3) {
      const before = provider.taken.length;
      await new Promise((resolve) => setTimeout(resolve, 0));
      const isIdle = provider.underWay === 0 && provider.taken.length === before;
      idleTurns = isIdle ? idleTurns + 1 : 0;
    }
  }
}

Deno.test("outage: a provider is away for ten minutes while 10,000 messages wait", async () => {
  const clock = new ManualClock();
  await using store = openMemoryStore({ clock });
  const provider = new FakeProvider(clock);
  const made = createRelay({ type: "mailgun", table: { domain: "mg.test", api_key: "key" } }, {
    ...{ name: "mailgun", clock, fetch: provider.fetch, maxConcurrency: CONCURRENCY },
  });
  assert(made.kind === "created");
  const startMs = clock.now();
  for (let number = 0; number < MESSAGES; number++) await store.put(waiting(number, startMs));
  const random = seededRandom(1);
  const scheduler = new Scheduler({
    ...{ store, clock, emit: () => {}, owner: "node", leaseMs: 600_000, maxConcurrency: 100 },
    window: { recipients: 2000, perDomain: 500, bodyBytes: 32 * 1024 * 1024 },
    destinations: { initialConcurrency: 5, downMs: 30_000, maxDownMs: 120_000 },
    retry: retryPolicy({ schedule: DEFAULT_RETRY_SCHEDULE, clock, random }),
    notifications: () => [],
    router: createRouter([{ name: "all", match: {}, transports: ["mailgun"] }], {
      transports: new Map([["mailgun", made.transport]]),
      random,
    }),
  });
  scheduler.start();
  await pass({ clock, provider, byMs: OUTAGE_MS, stepMs: 5_000 });
  assertEquals(provider.taken, []);
  assert(provider.requestsWhileAway <= 60, `${provider.requestsWhileAway} requests in vain`);

  const needMs = Math.ceil(MESSAGES / PER_WINDOW) * WINDOW_MS;
  await pass({ clock, provider, byMs: needMs * 1.2 + 180_000, stepMs: 1_000 });
  const { recipients } = await store.stats();
  assertEquals([recipients.delivered, recipients.queued], [MESSAGES, 0]);
  assertEquals(provider.taken.length, MESSAGES, "everything once");
  assertEquals(new Set(provider.taken).size, MESSAGES);
  assertEquals(provider.refusedForRate, 0, "requests beyond the limit");
  // As many as go at once may overtake each other, and nothing else.
  const furthest = Math.max(...provider.taken.map((number, place) => Math.abs(number - place)));
  assert(furthest <= CONCURRENCY, `a message left ${furthest} places from its own`);
  await scheduler.stop({ limitMs: 0 });
});
