/** What holds where nothing is configured, and the most that is remembered or asked for. */
import { assertEquals } from "@std/assert";
import { explainRoute } from "../../src/delivery/explain.ts";
import type { RouteMatch } from "../../src/delivery/route.ts";
import { GroupPace } from "../../src/delivery/shaping/group_pace.ts";
import { DEFAULT_POOL_LIMITS } from "../../src/delivery/smtp/pool.ts";
import {
  DEFAULT_MAX_CONCURRENCY,
  DEFAULT_MAX_RECIPIENTS,
} from "../../src/delivery/smtp/options.ts";
import { LmtpTransport } from "../../src/delivery/lmtp.ts";
import { MxTransport } from "../../src/delivery/mx.ts";
import { SmarthostTransport } from "../../src/delivery/smarthost.ts";
import { MtaSts } from "../../src/delivery/tls/sts.ts";
import { StsCache } from "../../src/delivery/tls/sts_cache.ts";
import { fetchStsPolicy } from "../../src/delivery/tls/sts_fetch.ts";
import { TlsReportSender } from "../../src/delivery/tls/report_sender.ts";
import { TlsTally } from "../../src/delivery/tls/tally.ts";
import { Classifier } from "../../src/delivery/classify/classifier.ts";
import type { ReplyRule } from "../../src/delivery/classify/rules.ts";
import type { DeliveryReport } from "../../src/delivery/transport.ts";
import { reply } from "../../src/mail/reply.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { testAuthority } from "../support/certificates.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords, smarthostSetup } from "../support/smarthost_setup.ts";
import { dialByAddress, type Names, smtpServices } from "../support/smtp_services.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NEVER = new AbortController().signal;

Deno.test("the limits of connections and transports where nothing is configured", () => {
  assertEquals(DEFAULT_POOL_LIMITS, {
    ...{ maxMessages: 100, maxAgeMs: 300_000, maxIdleMs: 30_000, maxIdle: 1_000 },
  });
  assertEquals([DEFAULT_MAX_CONCURRENCY, DEFAULT_MAX_RECIPIENTS], [20, 100]);
  const common = { name: "out", heloName: "relay.example", services: smtpServices() };
  const hosts = [{ host: "a.example", port: 25 }, { host: "b.example", port: 26 }];
  const made = (limits: { maxConcurrency?: number; maxRecipients?: number }) => [
    new MxTransport({ ...common, ...limits }),
    new SmarthostTransport({ ...common, ...limits, hosts }),
    new LmtpTransport({ ...common, ...limits, servers: [...hosts, { path: "/run/lmtp" }] }),
  ];
  for (const { maxConcurrency, maxRecipients } of made({})) {
    assertEquals([maxConcurrency, maxRecipients], [20, 100]);
  }
  for (const { maxConcurrency, maxRecipients } of made({ maxConcurrency: 3, maxRecipients: 7 })) {
    assertEquals([maxConcurrency, maxRecipients], [3, 7]);
  }
  const [mx, smarthost, lmtp] = made({});
  assertEquals([mx, smarthost, lmtp].map((one) => one?.destinationOf("d.example")), [
    ...["d.example", "a.example:25,b.example:26", "a.example:25,b.example:26,/run/lmtp"],
  ]);
  assertEquals([mx?.kind, smarthost?.kind, lmtp?.kind], ["mx", "smarthost", "lmtp"]);
});

Deno.test("an attempt by MX asks ten exchangers and five addresses at most", async () => {
  const hosts = Array.from({ length: 12 }, (_, index) => `h${index}.example`);
  const names: Names = {
    mx: {
      "many.example": hosts.map((host, index) => `${index} ${host}`),
      "wide.example": ["10 wide-host.example"],
    },
    addresses: {
      "h9.example": ["192.0.2.9"],
      "h10.example": ["192.0.2.10"],
      "wide-host.example": [1, 2, 3, 4, 5, 6].map((number) => `198.51.100.${number}`),
    },
  };
  const dialer = dialByAddress({});
  using services = smtpServices({ names, dialer });
  await using transport = new MxTransport({ name: "mx", heloName: "relay.example", services });
  const deliver = (domain: string) =>
    transport.deliver(sampleJob({ recipients: [`u@${domain}`] }), { signal: NEVER });
  await deliver("many.example");
  assertEquals(dialer.dialed, ["192.0.2.9"], "the tenth, not the eleventh");
  await deliver("wide.example");
  assertEquals(dialer.dialed.slice(1), [1, 2, 3, 4, 5].map((number) => `198.51.100.${number}`));
});

Deno.test("a message that asks for TLS all the way goes to the server that is configured", async () => {
  const authority = testAuthority();
  const certificates = [authority.issue({ names: ["smart.example"] })];
  let port = 0;
  await using made = smarthostSetup({
    ...{ extensions: ["STARTTLS", "REQUIRETLS"], tls: { certificates } },
  }, {
    hosts: [{ host: "smart.example", port: 25 }],
    tls: { rule: { level: "opportunistic" }, settings: { ca: [authority.certificate] } },
    services: smtpServices({
      names: { addresses: { "smart.example": ["192.0.2.1"] } },
      dialer: (target, options) => dialByAddress({ "192.0.2.1": port })(target, options),
    }),
  });
  port = made.peer.port;
  const job = sampleJob({ message: { extras: { requireTls: true } } });
  const report = await made.deliver(job);
  assertEquals([inWords(report), report.proof], [["delivered 250 2.0.0 Stored"], "chain"]);
  const plain = await made.deliver(sampleJob());
  assertEquals(plain.proof, undefined);
  assertEquals(made.peer.sessions, 2, "they share no session");
});

Deno.test("after a kept session has failed the host is asked anew, not another kept one", async () => {
  const held = Promise.withResolvers<void>();
  const answers = { ".": { inTurn: [[held.promise, "250 2.0.0 Stored\r\n"], "250 2.0.0 Stored"] } };
  await using peer = startScriptedPeer({
    answers: { ...answers, RSET: "421 4.3.2 Bye" },
    respond: () => null,
  });
  await using made = smarthostSetup({}, { hosts: [{ host: "127.0.0.1", port: peer.port }] });
  const both = [made.deliver(sampleJob()), made.deliver(sampleJob())];
  await peer.waitForLine("DATA", 2);
  held.resolve();
  await Promise.all(both);
  assertEquals(peer.sessions, 2);
  assertEquals(inWords(await made.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
});

Deno.test("the pace of a provider is half of what its destinations were sent of late", () => {
  const pace = new GroupPace();
  for (let count = 0; count < 4; count++) pace.begin(0);
  pace.slowDown({ nowMs: 0, startedAtMs: 0, reason: "421" });
  assertEquals(pace.learned(0)?.perMinute, 120);
  assertEquals([pace.intervalMs(0), pace.readyAtMs(0), pace.isActive(0)], [500, 500, true]);
  pace.begin(500);
  assertEquals(pace.readyAtMs(500), 1_000);
});

const FACTS = {
  ...{ forwardPath: "ann@d.example", domain: "d.example", reversePath: "", listener: "smtp" },
  ...{ headers: { "x-tenant": ["acme", "corp"] }, sizeBytes: 10, priority: 2, user: "app" },
};
const REASONS: readonly [RouteMatch, string][] = [
  [{}, "it fits everything"],
  [{ recipient: ["ann@*"], sender: [""] }, "the recipient ann@d.example, the sender <> matches"],
  [{ recipient: ["b@*"] }, "the recipient ann@d.example is none of b@*"],
  [{ sender: ["a@b", ""], user: ["app"] }, "the sender <>, the user app matches"],
  [{ sender: ["a@b", "c@d"] }, "the sender <> is none of a@b, c@d"],
  [{ listener: ["local"] }, "the listener smtp is none of local"],
  [{ user: [""] }, "the user app is none of <>"],
  [{ minSizeBytes: 1, maxSizeBytes: 20 }, "the size 10 matches"],
  [{ minSizeBytes: 11 }, "the size 10 is below 11"],
  [{ maxSizeBytes: 9 }, "the size 10 is above 9"],
  [{ minPriority: 3 }, "the priority 2 is below 3"],
  [{ maxPriority: 1 }, "the priority 2 is above 1"],
  [{ maxPriority: 2 }, "the priority 2 matches"],
  [
    { header: [{ name: "x-tenant", patterns: ["acme"] }, { name: "x-tenant", patterns: ["c*"] }] },
    "the header field x-tenant acme, corp matches",
  ],
  [
    { header: [{ name: "x-tenant", patterns: ["a*"] }, { name: "x-env", patterns: ["a", "b"] }] },
    "the header field x-env (absent) is none of a, b",
  ],
];

Deno.test("why a route fits or not is said of each thing that it looks at", () => {
  for (const [match, reason] of REASONS) {
    const [step] = explainRoute([{ name: "r", match, transports: [] }], FACTS);
    assertEquals(step?.reason, reason);
  }
  const bare = { forwardPath: "a@b.example", domain: "b.example", reversePath: "", listener: "x" };
  const why = (match: RouteMatch) =>
    explainRoute([{ name: "r", match, transports: [] }], bare)[0]?.reason;
  assertEquals([why({ user: ["app"] }), why({ minSizeBytes: 1 }), why({ minPriority: 1 })], [
    "the user <> is none of app",
    "the size 0 is below 1",
    "the priority 0 is below 1",
  ]);
});

/** What a table makes of a reply of a next hop. */
function classified(rule: Partial<ReplyRule>, text = "Later") {
  const classifier = new Classifier([{ name: "r", action: "retry", ...rule }]);
  const report: DeliveryReport = {
    outcomes: [{ kind: "temporary", reply: reply(451, "4.7.1", text), fromPeer: true }],
    remote: { host: "MX.Dest.example", address: "192.0.2.1", port: 25 },
    tls: null,
  };
  const [outcome] = classifier.classify(report, "dest.example").outcomes;
  const { kind, retryAfterMs = null, pausesMs = null } = outcome as Record<string, unknown>;
  return [kind, retryAfterMs, pausesMs];
}

Deno.test("what a reply says of the time is believed up to a day", () => {
  const seconds = /in (?<seconds>\d+) s/;
  const all = /(?<hours>\d+)h (?<minutes>\d+)m (?<seconds>\d+)s/;
  assertEquals(classified({ text: seconds }, "in 90 s"), ["temporary", 90_000, null]);
  assertEquals(classified({ text: seconds }, "in 0 s"), ["temporary", null, null]);
  assertEquals(classified({ text: seconds }, "in 86401 s"), ["temporary", DAY_MS, null]);
  const mixed = HOUR_MS + 2 * MINUTE_MS + 3_000;
  assertEquals(classified({ text: all, action: "pause" }, "1h 2m 3s"), ["temporary", null, mixed]);
  assertEquals(classified({ text: /Later/ }), ["temporary", null, null]);
  assertEquals(classified({ action: "retry_later" }), ["temporary", 15 * MINUTE_MS, null]);
  assertEquals(classified({ action: "retry_later", delayMs: 7 }), ["temporary", 7, null]);
  assertEquals(classified({ action: "pause" }), ["temporary", null, HOUR_MS]);
  assertEquals(classified({ action: "pause", delayMs: 7 }), ["temporary", null, 7]);
  const given = { action: "retry_later", delayMs: 7, text: seconds } as const;
  assertEquals(classified(given, "in 5 s"), ["temporary", 5_000, null]);
  assertEquals(classified({ text: /end$/ }, `${"x".repeat(509)}end`), ["temporary", null, null]);
  assertEquals(classified({ text: /end$/, action: "give_up" }, `${"x".repeat(510)}end`), [
    ...["temporary", null, null],
  ]);
});

Deno.test("a rule looks at hosts in lower case, at domains, and at codes", () => {
  const is = (rule: Partial<ReplyRule>) => classified({ action: "give_up", ...rule })[0];
  assertEquals([is({ mx: ["*.dest.example"] }), is({ mx: ["dest.example"] })], [
    ...["permanent", "temporary"],
  ]);
  assertEquals([is({ domain: ["dest.example"] }), is({ domain: ["other.example"] })], [
    ...["permanent", "temporary"],
  ]);
  assertEquals([is({ code: "4xx" }), is({ code: "45x" }), is({ code: "5xx" })], [
    ...["permanent", "permanent", "temporary"],
  ]);
  assertEquals([is({ enhanced: "4.7.*" }), is({ enhanced: "4.7.1" }), is({ enhanced: "4.7.2" })], [
    ...["permanent", "permanent", "temporary"],
  ]);
  assertEquals(is({ code: "4xx", enhanced: "4.6.*" }), "temporary");
});

const PUBLISHED = { type: "no-policy-found" } as const;
const FAILURE = {
  ...{ type: "certificate-expired", host: "mx", receivingAddress: "192.0.2.1" },
  sendingAddress: "198.51.100.1",
} as const;

Deno.test("a tally has so many details, policies and domains of a day", () => {
  const tally = new TlsTally();
  const add = (domain: string, change: Partial<typeof FAILURE> | null, policy = 0) =>
    tally.add({
      domain,
      published: policy === 0 ? PUBLISHED : { type: "sts", strings: [`${policy}`], mxPatterns: [] },
      failure: change === null ? null : { ...FAILURE, ...change } as never,
    }, 0);
  for (let count = 0; count < 101; count++) add("a", { host: `mx${count}` } as never);
  add("a", { host: "mx0" } as never);
  add("a", { receivingAddress: "192.0.2.2" } as never);
  add("a", null);
  for (let policy = 1; policy < 12; policy++) add("a", null, policy);
  add("a", null, 9);
  for (let count = 0; count < 10_000; count++) add(`d${count}`, null);
  add("a", null);
  const day = tally.toJSON()["1970-01-01"] ?? {};
  const policies = day["a"] ?? [];
  assertEquals([policies.length, policies[0]?.details.length, policies[0]?.details[0]?.count], [
    ...[10, 100, 2],
  ]);
  assertEquals([policies[0]?.successes, policies[0]?.failures, policies[9]?.successes], [
    2,
    103,
    2,
  ]);
  assertEquals([Object.keys(day).length, "d9998" in day, "d9999" in day], [10_000, true, false]);
  assertEquals([...tally.finished(DAY_MS - 1)].length, 0);
  assertEquals(tally.finished(DAY_MS).map(([date]) => date), ["1970-01-01"]);
  tally.forget("1970-01-02", "a");
  tally.forget("1970-01-01", "a");
  assertEquals("a" in (tally.toJSON()["1970-01-01"] ?? {}), false);
  const copy = new TlsTally(tally.toJSON());
  assertEquals(copy.toJSON(), tally.toJSON());
  for (let count = 0; count < 10_000; count++) copy.forget("1970-01-01", `d${count}`);
  assertEquals(copy.toJSON(), {});
});

Deno.test("details of failures are told apart by all that they say", () => {
  const tally = new TlsTally();
  const changes = [{}, { type: "validation-failure" }, { host: "b" }, { receivingAddress: "c" }, {
    sendingAddress: "d",
  }, {}];
  for (const change of changes) {
    tally.add(
      { domain: "a", published: PUBLISHED, failure: { ...FAILURE, ...change } as never },
      0,
    );
  }
  const [policy] = tally.toJSON()["1970-01-01"]?.["a"] ?? [];
  assertEquals(policy?.details.map(({ count }) => count), [2, 1, 1, 1, 1]);
});

/** A sender of reports over a DNS of some records. */
function reporting(
  txt: Names["txt"] & object,
  { status = 200, fetch }: { status?: number; fetch?: () => Promise<Response> } = {},
) {
  const clock = new ManualClock(0);
  const services = smtpServices({ names: { txt } });
  const sent: string[] = [];
  const sender = new TlsReportSender({
    ...{ ...services, clock, file: null, newId: () => "id" },
    fetch: (url) => {
      sent.push(url);
      return fetch?.() ?? Promise.resolve(new Response(null, { status }));
    },
    queue: ({ to }) => {
      sent.push(to);
      return Promise.resolve(true);
    },
    reporter: { organization: "Relays", submitter: "relay.example", from: "tls@relay.example" },
  });
  const { lookups } = services;
  return { clock, sender, sent, lookups };
}

Deno.test("a domain that wants no reports is asked once, one that cannot be asked for two days", async () => {
  const { clock, sender, sent, lookups } = reporting({ "_smtp._tls.unsure.example": null });
  for (const domain of ["none.example", "unsure.example"]) {
    sender.record({ domain, published: PUBLISHED, failure: null });
  }
  await sender.sendDue();
  await clock.advance(DAY_MS + HOUR_MS);
  const asked = (name: string) => lookups.filter((one) => one.endsWith(name)).length;
  assertEquals([asked("none.example"), asked("unsure.example") >= 1, sent], [1, true, []]);
  await clock.advance(DAY_MS);
  const before = asked("unsure.example");
  await clock.advance(DAY_MS);
  assertEquals(asked("none.example"), 1);
  const last = asked("unsure.example");
  assertEquals(last - before <= 2, true, "given up after two days");
  await sender[Symbol.asyncDispose]();
  assertEquals(clock.timers, 0);
});

Deno.test("a place that takes no report is tried again in an hour, and hangs for a minute at most", async () => {
  const txt = { "_smtp._tls.dest.example": ["v=TLSRPTv1; rua=https://r.example/"] };
  const refused = reporting(txt, { status: 500 });
  refused.sender.record({ domain: "dest.example", published: PUBLISHED, failure: null });
  await refused.sender.sendDue();
  await refused.clock.advance(DAY_MS + HOUR_MS);
  const first = refused.sent.length;
  await refused.clock.advance(HOUR_MS);
  assertEquals([first >= 1, refused.sent.length], [true, first + 1]);
  await refused.sender[Symbol.asyncDispose]();
});

Deno.test("a host that never sends its policy is given up after a minute", async () => {
  const clock = new ManualClock();
  let isAborted = false;
  const fetching = fetchStsPolicy("dest.example", {
    clock,
    fetch: (_, { signal }) =>
      new Promise((_, reject) =>
        signal?.addEventListener("abort", () => {
          isAborted = true;
          reject(signal.reason);
        })
      ),
  });
  await settle();
  await clock.advance(MINUTE_MS - 1);
  assertEquals([isAborted, clock.timers], [false, 1]);
  await clock.advance(1);
  assertEquals(await fetching, { kind: "failed", type: "sts-policy-fetch-error" });
  assertEquals(clock.timers, 0);
});

const POLICY = "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 604800\n";

Deno.test("a policy has 64 KiB at most, comes as plain text, and leaves no timer", async () => {
  const clock = new ManualClock();
  const kindOf = async (body: string | null, { type = "text/plain", status = 200 } = {}) => {
    const response = new Response(body, { status, headers: { "content-type": type } });
    const found = await fetchStsPolicy("d", { clock, fetch: () => Promise.resolve(response) });
    return found.kind === "failed" ? found.type : found.kind;
  };
  const filled = (bytes: number) => POLICY + `x: ${"y".repeat(bytes - POLICY.length - 4)}\n`;
  assertEquals(await kindOf(filled(65_536)), "fetched");
  assertEquals(await kindOf(filled(65_537)), "sts-policy-fetch-error");
  assertEquals(await kindOf(POLICY, { type: "TEXT/PLAIN ; charset=x" }), "fetched");
  assertEquals(await kindOf(POLICY, { type: "text/plainer" }), "sts-policy-invalid");
  assertEquals(await kindOf(POLICY, { status: 201 }), "sts-policy-fetch-error");
  assertEquals(await kindOf(null), "sts-policy-invalid");
  assertEquals(clock.timers, 0);
});

Deno.test("policies are kept as long as they say, ten thousand at most, over a restart", async () => {
  const clock = new ManualClock(0);
  const { shelf } = openMemoryStore({ clock });
  const onError = (error: unknown): never => {
    throw error;
  };
  const cache = new StsCache({ clock, shelf, onError });
  await cache.loaded;
  const kept = (maxAgeMs: number) => ({
    ...{ policy: { mode: "enforce", mx: ["mx"], maxAgeMs } as const, id: "1", fetchedAtMs: 0 },
  });
  cache.set("short", kept(1_000));
  for (let count = 0; count < 10_000; count++) cache.set(`d${count}`, kept(5_000));
  assertEquals([cache.get("short"), cache.get("d0")?.id], [null, "1"]);
  await cache[Symbol.asyncDispose]();
  const again = new StsCache({ clock, shelf, onError });
  again.set("d1", { ...kept(9_000), id: "2" });
  await again.loaded;
  assertEquals([again.get("d9999")?.id, again.get("d1")?.id], ["1", "2"]);
  await clock.advance(4_999);
  assertEquals(again.get("d9")?.id, "1");
  await clock.advance(1);
  assertEquals([again.get("d9"), again.get("d1")?.id], [null, "2"]);
});

Deno.test("a policy is fetched anew after a day, and a failure is asked about after five minutes", async () => {
  const clock = new ManualClock();
  let fetched = 0;
  let isBroken = false;
  await using sts = new MtaSts({
    ...{ clock, shelf: null, onError: () => {} },
    resolver:
      smtpServices({ names: { txt: { "_mta-sts.d.example": ["v=STSv1; id=1;"] } } }).resolver,
    fetch: () => {
      fetched++;
      if (isBroken) return Promise.reject(new Error("no"));
      const headers = { "content-type": "text/plain" };
      return Promise.resolve(new Response(POLICY, { headers }));
    },
  });
  const find = async () => {
    const found = await sts.find("d.example");
    await new Promise((resolve) => setTimeout(resolve));
    return [found.kind, fetched];
  };
  assertEquals(await find(), ["policy", 1]);
  await clock.advance(DAY_MS);
  assertEquals(await find(), ["policy", 1]);
  isBroken = true;
  await clock.advance(1);
  assertEquals(await find(), ["policy", 2]);
  await clock.advance(299_999);
  assertEquals(await find(), ["policy", 2]);
  await clock.advance(1);
  assertEquals(await find(), ["policy", 3]);
  isBroken = false;
  await clock.advance(300_000);
  assertEquals(await find(), ["policy", 4]);
  assertEquals(await find(), ["policy", 4]);
  clock.set(-2 * DAY_MS);
  assertEquals(await find(), ["policy", 5], "the clock was set back");
});
