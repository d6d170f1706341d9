import { concatBytes } from "../../src/base/bytes.ts";
import { Activity } from "../../src/admin/events/activity.ts";
import { EventFeed } from "../../src/admin/events/feed.ts";
import { Access } from "../../src/admin/guard/access.ts";
import type {
  AdminPorts,
  DestinationStatus,
  OperatorPause,
  QueuePort,
  ReloadResult,
  SubmitRefusal,
  SubmitRequest,
  Suppression,
  TransportStatus,
} from "../../src/admin/ports.ts";
import type { Clock } from "../../src/base/clock.ts";
import { type Random, seededRandom } from "../../src/base/random.ts";
import type { HealthCheck } from "../../src/admin/ports.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import type { QueueStore } from "../../src/queue/store.ts";

/** Ports over a queue in memory and values that tests change. */
export interface FakePorts extends AdminPorts, AsyncDisposable {
  readonly store: QueueStore;
  readonly feed: EventFeed;
  readonly counted: Activity;
  /** What was asked of destinations, transports and the configuration, in words. */
  readonly calls: string[];
  /** What health says. */
  checks: HealthCheck[];
  reloadResult: ReloadResult;
  /** Messages that were submitted. */
  readonly submitted: (Omit<SubmitRequest, "message"> & { readonly message: string })[];
}

/** Recipients of these names are refused so. */
const REFUSALS: readonly SubmitRefusal[] = [
  ...["refused", "too_large", "too_many_recipients", "later", "full", "unavailable"] as const,
  ...["key_taken", "under_way"] as const,
];

export const DESTINATION: DestinationStatus = {
  transport: "mx",
  name: "dest.example",
  isDomain: true,
  state: "down",
  concurrency: 2,
  maxConcurrency: 20,
  running: 0,
  waiting: 3,
  retryAtMs: 1_700_000_060_000,
  lastError: { text: "Connection refused", atMs: 1_700_000_000_000 },
  lastSuccessAtMs: null,
  latency: { medianMs: 120, p95Ms: 900, attempts: 12 },
  shaping: {
    limits: [{ rule: "calm", limit: "60 messages a minute" }],
    learned: { perMinute: 12, sinceMs: 1, reason: "421 4.7.28 Too fast" },
    nextAtMs: null,
  },
  pause: null,
};

const TRANSPORT: TransportStatus = {
  name: "mx",
  kind: "mx",
  state: "up",
  retryAtMs: null,
  lastError: null,
  lastSuccessAtMs: null,
  pause: null,
  running: 0,
  waiting: 3,
  destinations: 1,
  destinationsDown: 1,
  outcomes: { delivered: 1, deferred: 2, bounced: 0, uncertain: 0 },
  routes: ["default"],
};

/** Makes ports; the folder holds the file of keys and users. */
export async function fakePorts(
  { clock, random = seededRandom(1) }: { clock: Clock; random?: Random },
): Promise<FakePorts> {
  const folder = await Deno.makeTempDir({ prefix: "posthouse-admin-" });
  const store = openMemoryStore({ clock });
  const access = new Access({ path: `${folder}/access.json`, clock, random });
  const feed = new EventFeed({ clock });
  const counted = new Activity({ clock });
  const calls: string[] = [];
  const ports: FakePorts = {
    ...waysOf(calls),
    store,
    feed,
    counted,
    calls,
    submitted: [],
    checks: [{ name: "store", ok: true, detail: "It writes." }],
    reloadResult: { kind: "reloaded" },
    queue: queueOf(store, clock),
    info: {
      read: () => ({
        version: "1.2.3",
        hostname: "relay.example",
        startedAtMs: clock.now(),
        configFile: null,
        store: "memory",
        listeners: [{ name: "smtp", address: "127.0.0.1", port: 2525, sessions: 0 }],
      }),
    },
    config: {
      fileState: () => Promise.resolve({ kind: "same" }),
      read: () => ({
        document: { hostname: "relay.example" },
        toml: `hostname = "relay.example"\n`,
        loadedAtMs: clock.now(),
      }),
      reload: ({ by }) => {
        calls.push(`reload by ${by}`);
        return Promise.resolve(ports.reloadResult);
      },
    },
    events: feed,
    activity: counted,
    metrics: {
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      render: () => Promise.resolve("posthouse_queue_up 1\n"),
    },
    health: { check: () => Promise.resolve(ports.checks) },
    keys: access.keys,
    users: access.users,
    submission: {
      limitBytes: 2_000_000,
      async submit({ message, ...request }) {
        const refusal = REFUSALS.find((why) => request.to.includes(`${why}@dest.example`));
        if (refusal !== undefined) {
          return { kind: "refused", why: refusal, reason: "Not to that one." };
        }
        const octets = message instanceof Uint8Array
          ? message
          : concatBytes(await Array.fromAsync(message));
        ports.submitted.push({ ...request, message: new TextDecoder().decode(octets) });
        const repeated = request.key === "known";
        return { kind: "queued", id: "01TEST0000000001", repeated };
      },
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
  return ports;
}

function queueOf(store: QueueStore, clock: Clock): QueuePort {
  return {
    list: (request) => store.list(request),
    count: (filter) => store.count(filter),
    countWithin: (filter, withinMs) => store.countWithin(filter, withinMs),
    get: (id) => store.get(id),
    body: (id, options) => store.body(id, options),
    stats: () => store.stats(),
    shape: (request) => store.shape(request),
    sendAgain: ({ recipients }) =>
      Promise.resolve(
        recipients === undefined
          ? { kind: "refused", reason: "it reached all recipients; name its recipients" }
          : { kind: "queued", id: "01TEST0000000009", recipients: recipients.length },
      ),
    sendAllAgain: async ({ filter }) => ({ sent: await store.count(filter), refused: 0 }),
    command: (request) => store.command({ ...request, nowMs: clock.now() }),
  };
}

function waysOf(
  calls: string[],
): Pick<AdminPorts, "destinations" | "transports" | "routes" | "suppressions" | "webhooks"> {
  const paused = new Map<string, OperatorPause>();
  const pausedTransports = new Set<string>();
  const suppressed = new Map<string, Suppression>();
  return {
    destinations: {
      list: () => [DESTINATION, { ...DESTINATION, name: "up.example", state: "up" }],
      pause(domain, request) {
        calls.push(`pause ${domain} by ${request.by}`);
        paused.set(domain, { ...request, sinceMs: 0 });
        return Promise.resolve();
      },
      resume: (domain) => Promise.resolve(paused.delete(domain)),
      paused: () => paused,
      flush(domain, { by }) {
        calls.push(`flush ${domain} by ${by}`);
        return Promise.resolve(7);
      },
    },
    transports: {
      list: () => [TRANSPORT],
      pause(name) {
        calls.push(`pause transport ${name}`);
        pausedTransports.add(name);
        return Promise.resolve();
      },
      resume: (name) => Promise.resolve(pausedTransports.delete(name)),
      reset: (name) => Promise.resolve(void calls.push(`reset ${name}`)),
      test(name, { to, by }) {
        calls.push(`test ${name} to ${to} by ${by}`);
        return Promise.resolve({ kind: "queued", id: "01TEST0000000001" });
      },
    },
    routes: {
      list: () => [{ name: "default", match: {}, transports: ["mx"] }],
      explain: ({ to, listener = "smtp" }) => ({
        route: "default",
        transports: [
          { name: "mx", kind: "mx", destination: to.split("@")[1] ?? "", state: "up", reason: "" },
        ],
        steps: [{ route: "default", fits: true, reason: `fits everything from ${listener}` }],
      }),
      trace: ({ to, listener = "smtp" }) =>
        Promise.resolve({
          checks: [],
          ...{ route: "default", mode: "deliver", redirect: null, rawOnly: false, dkim: [] },
          transports: [{
            ...{ name: "mx", kind: "mx", destination: to.split("@")[1] ?? "", state: "up" },
            ...{
              reason: "",
              weight: null,
              hosts: [],
              tls: "opportunistic",
              limits: [],
              format: null,
            },
            ...{ proxy: null, sourceAddresses: [], returnPath: "a@b.example" },
          }],
          ...{ aliasOf: [], suppressed: null },
          bounce: { to: "a@b.example", route: "default", mode: "deliver", transports: ["mx"] },
          steps: [{ route: "default", fits: true, reason: `fits everything from ${listener}` }],
        }),
    },
    suppressions: {
      list: () => Promise.resolve({ items: [...suppressed.values()], cursor: null }),
      add({ address, reason, expiresAtMs, by }) {
        const source = `added by ${by}`;
        suppressed.set(address, { address, reason, source, addedAtMs: 0, expiresAtMs });
        return Promise.resolve();
      },
      remove: (address) => Promise.resolve(suppressed.delete(address)),
    },
    webhooks: {
      replay: (name) => Promise.resolve(name === "crm"),
      list: () => Promise.resolve([]),
      log: () => Promise.resolve({ items: [], cursor: null }),
    },
  };
}
