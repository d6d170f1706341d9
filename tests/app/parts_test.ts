/** Small parts of the composition root: what stands around policies, the store and its folder. */
import { assert, assertEquals } from "@std/assert";
import { HistoryKeeper } from "../../src/app/history.ts";
import { makePrivate } from "../../src/app/private_files.ts";
import { intakeLimits, schedulerLimits } from "../../src/app/queue_settings.ts";
import { restartNeeds } from "../../src/app/restart_needs.ts";
import { leavesFromReturnAddress, returnAddresses } from "../../src/app/return_paths.ts";
import { sendAgainServices } from "../../src/app/send_again.ts";
import { StoreGuard } from "../../src/app/store_guard.ts";
import type { Config } from "../../src/config/schema.ts";
import { reply } from "../../src/mail/reply.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { ACCEPT, type Decision, refuse } from "../../src/policy/decision.ts";
import type { QueueStore } from "../../src/queue/store.ts";
import type { RecipientRequest, SessionFacts } from "../../src/reception/facts.ts";
import { receptionPolicy, type ServerPolicy } from "../../src/reception/policy.ts";
import { countingEvents } from "../../src/reception/usage_events.ts";
import { DomainSet } from "../../src/policy/domain_set.ts";
import type { UsageLimits } from "../../src/policy/limits/usage_limits.ts";
import type { MessageSink } from "../../src/smtp/server/sink.ts";
import { load } from "../config/support.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { tempFolder } from "../support/peers.ts";
import { symbolicLink } from "../support/symbolic_link.ts";

async function configOf(source: string): Promise<Config> {
  const result = await load(source);
  assert(result.kind === "ok", JSON.stringify(result));
  return result.config;
}

/** A keeper over a store whose steps find so much to do, in turn. */
function keeperBench(found: Record<string, (number | Error)[]> = {}) {
  const clock = new ManualClock();
  const steps: string[] = [];
  const errors: unknown[] = [];
  const step = (name: string) => (options: { beforeMs?: number; limit?: number } | number) => {
    const { beforeMs = clock.now(), limit } = typeof options === "number"
      ? { limit: options }
      : options;
    steps.push(`${name} ${clock.now() - beforeMs} ${limit}`);
    const next = found[name]?.shift() ?? 0;
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
  const store = {
    dropBodies: step("bodies"),
    purge: step("messages"),
    outbox: { purge: step("outbox") },
    shelf: { purge: step("shelf") },
  };
  const keeper = new HistoryKeeper({
    store: store as unknown as QueueStore,
    ...{ clock, keepMs: 7_000, keepFailedMs: 3_000, onError: (error) => errors.push(error) },
  });
  return { clock, steps, errors, keeper };
}

Deno.test("history: once a minute all that is old is forgotten, in steps of 500", async () => {
  const { clock, steps, errors, keeper } = keeperBench({ messages: [500, 500, 499], bodies: [1] });
  keeper.start();
  await clock.advance(59_999);
  assertEquals(steps, []);
  await clock.advance(1);
  const messages = "messages 7000 500";
  assertEquals(steps, [
    ...["bodies 3000 500", messages, messages, messages, "outbox 7000 500", "shelf 0 500"],
  ]);
  steps.length = 0;
  keeper.keepMs = 5;
  keeper.keepFailedMs = 6;
  await clock.advance(60_000);
  assertEquals(steps, ["bodies 6 500", "messages 5 500", "outbox 5 500", "shelf 0 500"]);
  await keeper.stop();
  assertEquals([clock.timers, errors], [0, []]);
});

Deno.test("history: a failure is told, and the next minute tries again", async () => {
  const cause = new Error("disk");
  const { clock, steps, errors, keeper } = keeperBench({ bodies: [cause] });
  keeper.start();
  await clock.advance(60_000);
  assertEquals([errors, steps.length], [[cause], 1]);
  await clock.advance(60_000);
  assertEquals(steps.length, 5);
  await keeper.stop();
});

Deno.test("history: a stop ends the steps, waits for the one under way, and starts no more", async () => {
  const { clock, steps, keeper } = keeperBench({ bodies: Array(1_000).fill(500) });
  keeper.start();
  const stopped = clock.advance(60_000).then(() => keeper.stop());
  await stopped;
  assert(steps.length > 0 && steps.every((step) => step.startsWith("bodies")));
  assertEquals(clock.timers, 0);
});

const FACTS = { clientAddress: "192.0.2.1", user: null } as SessionFacts;
const NO = refuse(reply(450, "4.7.1", "Later"));

/** Limits that refuse some kinds; `taken` is what was asked and counted. */
function limitsBench(refused: string[], stored: Decision = ACCEPT) {
  const taken: string[] = [];
  const usage = {
    judge: (address: string, { kind }: { kind: string }): Decision => {
      taken.push(`judge ${kind} ${address}`);
      return refused.includes(kind) ? NO : ACCEPT;
    },
    count: (address: string, { kind, amount }: { kind: string; amount?: number }) =>
      taken.push(`count ${kind} ${amount} ${address}`),
  } as unknown as UsageLimits;
  return { taken, limits: { usage, store: { judge: () => stored }, clock: new ManualClock() } };
}

Deno.test("limits are asked in order, and who is refused takes nothing of the next", () => {
  const rows: [verb: "connect" | "command" | "mail" | "rcpt", kinds: string[]][] = [
    ["connect", ["errors", "connections"]],
    ["command", ["errors", "commands"]],
    ["mail", ["bytes", "messages"]],
    ["rcpt", ["recipients"]],
  ];
  const ask = (policy: ServerPolicy, verb: string): Decision =>
    (policy as unknown as Record<string, (facts: SessionFacts, request: unknown) => Decision>)
      [verb]?.(FACTS, { recipient: {} }) ?? NO;
  for (const [verb, kinds] of rows) {
    const asked = kinds.map((kind) => `judge ${kind} 192.0.2.1`);
    const free = limitsBench([]);
    assertEquals(ask(receptionPolicy(free.limits), verb), ACCEPT);
    assertEquals(free.taken, [...asked, `count ${kinds.at(-1)} undefined 192.0.2.1`]);
    for (const [index, kind] of kinds.entries()) {
      const full = limitsBench([kind]);
      assertEquals(ask(receptionPolicy(full.limits), verb), NO, `${verb} ${kind}`);
      assertEquals(full.taken, asked.slice(0, index + 1));
    }
  }
  const broken = limitsBench([], NO);
  assertEquals(ask(receptionPolicy(broken.limits), "mail"), NO);
  assertEquals(broken.taken, []);
});

Deno.test("what was refused counts as an error, what was accepted by its octets; every event goes on", () => {
  const { taken, limits } = limitsBench([]);
  const told: RelayEvent[] = [];
  const sink = countingEvents((event) => told.push(event), limits);
  const events = ["command_refused", "refused", "accepted", "delivered"]
    .map((type) => ({ type, clientAddress: "192.0.2.1", sizeBytes: 7 }) as unknown as RelayEvent);
  for (const event of events) sink(event);
  assertEquals(taken, [
    "count errors undefined 192.0.2.1",
    "count errors undefined 192.0.2.1",
    "count bytes 7 192.0.2.1",
  ]);
  assertEquals(told, events);
});

Deno.test("a suppressed recipient is refused at RCPT, after who may relay", async () => {
  const suppressed = { source: "bounce", reason: "550 gone" };
  const asked: string[] = [];
  const rcpt = (domain: string, found: typeof suppressed | null, mayHave = true) => {
    const policy = receptionPolicy({
      relay: {
        trustedNetworks: [],
        relayDomains: new DomainSet(["example.net"]),
        ownNames: new DomainSet([]),
      },
      suppressions: {
        mayHave: () => mayHave,
        find: (mailbox) => {
          asked.push(mailbox);
          return Promise.resolve(found);
        },
      },
    });
    const recipient = { text: `bob@${domain}`, localPart: "bob", domain };
    const request: RecipientRequest = { recipient, routed: false, reversePath: "", alias: false };
    return policy.rcpt(FACTS, request);
  };
  const refusal = refuse(
    reply(550, "5.7.1", "Recipient is on the suppression list of this relay"),
    "bounce: 550 gone",
  );
  assertEquals(await rcpt("example.net", suppressed), refusal);
  assertEquals(await rcpt("example.net", null), ACCEPT);
  assertEquals(asked, ["bob@example.net", "bob@example.net"]);
  const denied = await rcpt("other.example", suppressed);
  assertEquals(denied.kind === "refuse" && denied.reply.lines, ["Relaying denied"]);
  assertEquals(await rcpt("example.net", suppressed, false), ACCEPT);
  assertEquals(asked.length, 2);
});

Deno.test("after a failure of the store nothing is begun for two seconds, or until a success", async () => {
  const clock = new ManualClock();
  const results = ["full", "unavailable", null] as const;
  let at = 0;
  const sink = {
    begin: () => ({
      id: "M1",
      commit: () => {
        const failure = results[at++] ?? null;
        return Promise.resolve(failure === null ? { kind: "stored" } : { kind: "failed", failure });
      },
    }),
  } as unknown as MessageSink;
  const guard = new StoreGuard(sink, clock);
  const commit = () =>
    guard.begin({} as Parameters<MessageSink["begin"]>[0])
      .commit({} as Parameters<ReturnType<MessageSink["begin"]>["commit"]>[0]);
  assertEquals(guard.judge(), ACCEPT);
  await commit();
  const full = guard.judge();
  assert(full.kind === "refuse");
  assertEquals([full.reply.code, full.reply.enhanced, full.cause], [
    ...[452, "4.3.1", "the store failed (full) a moment ago"],
  ]);
  await clock.advance(1_999);
  assertEquals(guard.judge(), full);
  await clock.advance(1);
  assertEquals(guard.judge(), ACCEPT);
  await commit();
  const unavailable = guard.judge();
  assert(unavailable.kind === "refuse");
  assertEquals([unavailable.reply.code, unavailable.reply.enhanced], [451, "4.3.0"]);
  await commit();
  assertEquals(guard.judge(), ACCEPT);
});

Deno.test("which keys a reload does not bring into force", async () => {
  const before = await configOf("");
  const rows: [source: string, keys: string[]][] = [
    ["", []],
    [`data_dir = "other"`, ["data_dir"]],
    [`[queue]\nstore = "memory"`, ["queue.store"]],
    [`[queue]\nwindow = 3000`, ["queue.window"]],
    [`[queue]\nwindow_per_domain = 3`, ["queue.window"]],
    [`[queue]\nwindow_bodies = "1MiB"`, ["queue.window_bodies"]],
    [`[queue]\nlease = "6m"`, ["queue.lease"]],
    [`[queue]\nkeep_failed = 0`, ["queue.keep_failed"]],
    [`[queue]\nkeep_failed = "5d"\nexpire = "5d"\nretry = ["9m"]`, []],
    [`[delivery]\nmax_concurrency = 7`, ["delivery"]],
    [`[delivery]\nmode = "hold"\nknown_replies = false\ndialogues = "none"`, []],
    [`[tls_reports]\nsend = true`, ["tls_reports"]],
    [`[dns]\nattempts = 3`, ["dns"]],
    [`[log]\nlevel = "debug"`, ["log"]],
    [`[limits]\nerrors = 3`, []],
  ];
  for (const [source, keys] of rows) {
    assertEquals(restartNeeds(before, await configOf(source)), keys, source);
  }
});

Deno.test("settings end in their own places", async () => {
  const config = await configOf(`
[queue]
spool_threshold = 1
expire = "2s"
window = 3
window_per_domain = 4
window_bodies = 5
lease = "6s"
[delivery]
max_concurrency = 7
initial_concurrency = 8
down = "9s"
max_down = "10s"
[transports.mx]
type = "mx"
[[routes]]
transports = ["mx"]
match = { header = { "X-Kind" = ["a"] } }
`);
  assertEquals(intakeLimits(config), {
    ...{ spoolThresholdBytes: 1, expireMs: 2_000, headerNames: ["x-kind"] },
  });
  assertEquals(schedulerLimits(config), {
    leaseMs: 6_000,
    window: { recipients: 3, perDomain: 4, bodyBytes: 5 },
    destinations: { initialConcurrency: 8, downMs: 9_000, maxDownMs: 10_000 },
    maxConcurrency: 7,
  });
  const signed: unknown[] = [];
  const signing = { sign: (...args: unknown[]) => signed.push(args) };
  type Services = Parameters<typeof sendAgainServices>[1];
  const services = sendAgainServices(config, {
    ...{ store: "store", nowMs: 11, newId: () => "id", signing },
  } as unknown as Services);
  assertEquals([services.expireMs, services.spoolThresholdBytes, services.nowMs], [2_000, 1, 11]);
  type Sign = Parameters<NonNullable<typeof services.sign>>;
  services.sign?.("octets" as unknown as Sign[0], "origin" as unknown as Sign[1]);
  assertEquals(signed, [["octets", "origin"]]);
});

Deno.test("return addresses: for the senders and transports that are named, else for what leaves", async () => {
  const transports = `[transports.mx]\ntype = "mx"\n[transports.smart]\ntype = "smarthost"\n` +
    `hosts = ["a.example"]\n[transports.local]\ntype = "lmtp"\nservers = ["127.0.0.1:24"]\n` +
    `[[routes]]\ntransports = ["mx", "smart", "local"]\n`;
  const bounces = `[bounces]\ndomains = ["b.example"]\nkey = "0123456789abcdef0123456789abcdef"\n`;
  const leaving = async (source: string, reversePath = "Ada@example.net") => {
    const config = await configOf(source + transports);
    return ["mx", "smart", "local", "gone"].filter((transport) =>
      leavesFromReturnAddress(reversePath, { config, transport })
    );
  };
  assertEquals(await leaving(""), []);
  assertEquals(returnAddresses(await configOf(transports)), null);
  assert(returnAddresses(await configOf(bounces + transports)) !== null);
  assertEquals(await leaving(bounces), ["mx", "smart"]);
  assertEquals(await leaving(bounces, ""), []);
  assertEquals(await leaving(`${bounces}transports = ["local"]\n`), ["local"]);
  assertEquals(await leaving(`${bounces}senders = ["x@*", "*@Example.NET"]\n`), ["mx", "smart"]);
  assertEquals(await leaving(`${bounces}senders = ["x@*"]\n`), []);
});

Deno.test({
  name: "the data folder is taken from everybody but its owner, and what was found is told",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await tempFolder();
    const root = `${folder.path}/data`;
    const open = async (path: string, mode: number): Promise<void> => {
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
      await Deno.writeTextFile(path, "");
      await Deno.chmod(path, mode);
    };
    for (
      const [name, mode] of [
        ...[["a", 0o644], ["b", 0o600], ["c", 0o460], ["d", 0o601]] as const,
        ...[["1/2/3/deep", 0o644], ["1/2/3/4/deeper", 0o644], ["spool/m", 0o644]] as const,
      ]
    ) await open(`${root}/${name}`, mode);
    await Deno.chmod(root, 0o755);
    await symbolicLink("/etc/hostname", `${root}/link`);
    await Deno.mkdir(`${root}/tmp`);
    await Deno.chmod(`${root}/tmp`, 0o1777);
    const told = (await makePrivate(root)).map((line) => line.replace(root, "")).sort();
    const now = "now only its owner has access";
    assertEquals(told, [
      ` was accessible to other users (mode 755); ${now}`,
      `/1/2/3/deep was accessible to other users (mode 644); ${now}`,
      `/a was accessible to other users (mode 644); ${now}`,
      `/c was accessible to other users (mode 460); ${now}`,
      `/d was accessible to other users (mode 601); ${now}`,
      "/tmp is accessible to all users (mode 777); use a dedicated data_dir",
    ]);
    const modeOf = async (name: string) => ((await Deno.lstat(root + name)).mode ?? 0) & 0o7777;
    assertEquals(await Promise.all(["", "/a", "/b", "/c", "/spool/m", "/tmp"].map(modeOf)), [
      ...[0o700, 0o600, 0o600, 0o400, 0o644, 0o1777],
    ]);
    await Deno.remove(`${root}/tmp`);
    assertEquals(await makePrivate(root), [], "once");
    assertEquals(await makePrivate(`${root}/nowhere`), []);
  },
});
