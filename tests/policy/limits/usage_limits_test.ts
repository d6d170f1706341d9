import { assertEquals } from "@std/assert";
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

Deno.test("usage limits: the code ends the session where the command cannot be had", () => {
  const rate = { limit: 0, perMs: MINUTE_MS };
  const all = { connections: rate, commands: rate, errors: rate };
  const some = { messages: rate, recipients: rate, bytes: rate };
  const limits = new UsageLimits(rules({ client: { ...all, ...some } }));
  for (const kind of Object.keys(all)) {
    assertEquals(tryOften(limits, { kind: kind as UsageKind }).code, 421, kind);
  }
  for (const kind of Object.keys(some)) {
    assertEquals(tryOften(limits, { kind: kind as UsageKind }).code, 450, kind);
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
