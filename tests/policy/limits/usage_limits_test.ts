import { assertEquals } from "@std/assert";
import type { Decision } from "../../../src/policy/decision.ts";
import { clientKey } from "../../../src/policy/limits/client_key.ts";
import { UsageLimits, type UsageRules } from "../../../src/policy/limits/usage_limits.ts";
import { type UsageKind, UsageTable } from "../../../src/policy/limits/usage_table.ts";
import { type Network, parseNetwork } from "../../../src/policy/network.ts";

const MINUTE_MS = 60_000;
const A = "192.0.2.1";
const B = "198.51.100.7";

/** How many of `tries` are let pass at one moment, and the code of the first that is not. */
function tryOften(
  limits: UsageLimits,
  { address = A, kind = "messages", nowMs = 0, tries = 10 }: {
    address?: string;
    kind?: UsageKind;
    nowMs?: number;
    tries?: number;
  } = {},
): { passed: number; code: number | null } {
  let passed = 0;
  for (let count = 0; count < tries; count++) {
    const decision = limits.take(address, { kind, nowMs });
    if (decision.kind === "refuse") return { passed, code: decision.reply.code };
    passed++;
  }
  return { passed, code: null };
}

function rules(given: Partial<UsageRules>): UsageRules {
  return { client: {}, listener: {}, exempt: [], ...given };
}

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed.kind === "error") throw new Error(parsed.reason);
  return parsed.network;
}

Deno.test("usage limits: what counts as one client", () => {
  assertEquals(clientKey(A), A);
  assertEquals(clientKey("::ffff:192.0.2.1"), A);
  assertEquals(clientKey("2001:db8:0:1::5"), clientKey("2001:db8:0:1:ffff::9"));
  assertEquals(clientKey("2001:db8:0:1::5") === clientKey("2001:db8:0:2::5"), false);
  assertEquals(clientKey("2001:db8:0:1::5"), "20010db800000001/64");
  assertEquals(clientKey("unknown: pipe"), "unknown: pipe");
});

Deno.test("usage limits: without rules everything passes", () => {
  assertEquals(tryOften(new UsageLimits()), { passed: 10, code: null });
});

Deno.test("usage limits: each client has its own, and gets them back with time", () => {
  const limits = new UsageLimits(rules({ client: { messages: { limit: 3, perMs: MINUTE_MS } } }));
  assertEquals(tryOften(limits), { passed: 3, code: 450 });
  assertEquals(tryOften(limits, { address: B }), { passed: 3, code: 450 });
  assertEquals(tryOften(limits, { nowMs: MINUTE_MS }), { passed: 0, code: 450 });
  assertEquals(tryOften(limits, { nowMs: 1.5 * MINUTE_MS }), { passed: 1, code: 450 });
  assertEquals(tryOften(limits, { nowMs: 4 * MINUTE_MS }), { passed: 3, code: 450 });
});

Deno.test("usage limits: the addresses of one IPv6 network share theirs", () => {
  const limits = new UsageLimits(rules({ client: { messages: { limit: 3, perMs: MINUTE_MS } } }));
  assertEquals(tryOften(limits, { address: "2001:db8::1" }), { passed: 3, code: 450 });
  assertEquals(tryOften(limits, { address: "2001:db8::2" }), { passed: 0, code: 450 });
  assertEquals(tryOften(limits, { address: "2001:db8:0:1::" }), { passed: 3, code: 450 });
});

Deno.test("usage limits: a listener's are for all its clients, exempt ones included", () => {
  const limits = new UsageLimits(rules({
    client: { messages: { limit: 2, perMs: MINUTE_MS } },
    listener: { messages: { limit: 5, perMs: MINUTE_MS } },
    exempt: [network("192.0.2.0/24")],
  }));
  assertEquals(tryOften(limits, { address: B }), { passed: 2, code: 450 });
  assertEquals(tryOften(limits, { address: A }), { passed: 3, code: 451 });
});

/** RFC 5321 4.2.3 and 3.8: what cannot be had without the session ends it, the rest is put off. */
const REFUSALS: Readonly<Record<UsageKind, readonly [ofClient: string, ofListener: string]>> = {
  connections: ["421 4.7.0", "421 4.3.2"],
  commands: ["421 4.7.0", "421 4.3.2"],
  errors: ["421 4.7.0", "421 4.3.2"],
  messages: ["450 4.7.1", "451 4.3.2"],
  recipients: ["450 4.7.1", "451 4.3.2"],
  bytes: ["450 4.7.1", "451 4.3.2"],
};

for (const [kind, [ofClient, ofListener]] of Object.entries(REFUSALS)) {
  Deno.test(`usage limits: too many ${kind} are answered by a code and a cause`, () => {
    const full = { [kind]: { limit: 0, perMs: MINUTE_MS } };
    const use = { kind: kind as UsageKind, nowMs: 0 };
    const one = new UsageLimits(rules({ client: full })).take(A, use);
    assertEquals(codesOf(one), [ofClient, `the ${kind} of the client are at their limit`]);
    const all = new UsageLimits(rules({ listener: full })).take(A, use);
    assertEquals(codesOf(all), [ofListener, `the ${kind} of the listener are at their limit`]);
  });
}

function codesOf(decision: Decision): readonly (string | undefined)[] {
  if (decision.kind === "accept") return [];
  return [`${decision.reply.code} ${decision.reply.enhanced}`, decision.cause];
}

Deno.test("usage limits: the limit of one kind does not hold another", () => {
  const limits = new UsageLimits(rules({ client: { messages: { limit: 1, perMs: MINUTE_MS } } }));
  assertEquals(tryOften(limits).passed, 1);
  assertEquals(tryOften(limits, { kind: "recipients" }).passed, 10);
  assertEquals(tryOften(limits, { kind: "errors" }).passed, 10);
});

Deno.test("usage limits: new rules hold at once and remember what was used", () => {
  const limits = new UsageLimits(rules({ client: { messages: { limit: 3, perMs: MINUTE_MS } } }));
  assertEquals(tryOften(limits), { passed: 3, code: 450 });
  limits.rules = rules({ client: { messages: { limit: 4, perMs: MINUTE_MS } } });
  assertEquals(tryOften(limits), { passed: 1, code: 450 });
  limits.rules = rules({});
  assertEquals(tryOften(limits), { passed: 10, code: null });
});

Deno.test("usage limits: 50,000 clients are remembered unless another number is given", () => {
  for (const [options, kept] of [[{}, 50_000], [{ maxClients: 3 }, 3]] as const) {
    const rate = { limit: 1, perMs: MINUTE_MS };
    const limits = new UsageLimits(rules({ client: { connections: rate } }), options);
    const use = { kind: "connections", nowMs: 0 } as const;
    const address = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    for (let n = 0; n < kept; n++) limits.count(address(n), use);
    assertEquals(limits.judge(address(0), use).kind, "refuse");
    limits.count(address(kept), use);
    assertEquals(limits.judge(address(0), use).kind, "accept");
    assertEquals(limits.judge(address(1), use).kind, "refuse");
  }
});

Deno.test("usage limits: what is counted afterwards holds the next one", () => {
  const limits = new UsageLimits(rules({ client: { bytes: { limit: 1000, perMs: MINUTE_MS } } }));
  const kind = "bytes";
  assertEquals(limits.judge(A, { kind, nowMs: 0 }).kind, "accept");
  limits.count(A, { kind, nowMs: 0, amount: 5000 });
  assertEquals(limits.judge(A, { kind, nowMs: 0 }).kind, "refuse");
  assertEquals(limits.judge(B, { kind, nowMs: 0 }).kind, "accept");
});

Deno.test("usage limits: only so many clients are remembered, the latest", () => {
  const table = new UsageTable({ maxKeys: 100 });
  const rate = { limit: 1, perMs: MINUTE_MS };
  const use = { kind: "connections", nowMs: 0 } as const;
  table.add("regular", use, rate);
  for (let count = 0; count < 10_000; count++) {
    table.add(`stranger ${count}`, use, rate);
    if (count % 50 === 0) table.add("regular", use, rate);
  }
  assertEquals(table.size, 100);
  assertEquals(table.isFull("regular", use, rate), true);
  assertEquals(table.isFull("stranger 0", use, rate), false);
});
