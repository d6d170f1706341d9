import { assertEquals } from "@std/assert";
import { parseMailbox } from "../../src/mail/address.ts";
import { formatReply } from "../../src/mail/reply.ts";
import { DomainSet } from "../../src/policy/domain_set.ts";
import { UsageLimits } from "../../src/policy/limits/usage_limits.ts";
import { explainReception } from "../../src/reception/explain.ts";
import type { SessionFacts } from "../../src/reception/facts.ts";
import { receptionPolicy } from "../../src/reception/policy.ts";
import { OPEN_RULES, type ReceptionRules } from "../../src/reception/rules.ts";
import { ManualClock } from "../support/manual_clock.ts";

const FACTS: SessionFacts = {
  ...{ sessionId: "", listener: "smtp", clientAddress: "192.0.2.1", clientPort: 0 },
  ...{ helo: "", esmtp: true, tls: null, user: null },
};

function rulesWith(some: Partial<ReceptionRules> = {}): ReceptionRules {
  return {
    ...{ ...OPEN_RULES, clock: new ManualClock() },
    relay: {
      trustedNetworks: [],
      relayDomains: new DomainSet(["ours.example"]),
      ownNames: new DomainSet(["relay.example"]),
    },
    returnAddresses: {
      owns: (_, domain) => domain === "returns.example",
      accepts: (mailbox) => mailbox.startsWith("b-"),
    },
    suppressions: {
      mayHave: (mailbox) => mailbox.startsWith("gone"),
      find: () => Promise.resolve({ source: "smtp", reason: "bounced" }),
    },
    ...some,
  };
}

function requestFor(text: string) {
  const parsed = parseMailbox(text);
  if (parsed.kind === "error") throw new Error(parsed.reason);
  return { recipient: parsed.mailbox, routed: false, reversePath: "", alias: false };
}

async function rcpt(text: string, rules: ReceptionRules): Promise<string> {
  const decision = await receptionPolicy(rules).rcpt(FACTS, requestFor(text));
  return decision.kind === "accept" ? "accept" : formatReply(decision.reply);
}

Deno.test("reception: recipients are judged in the order of the list", async () => {
  const rules = rulesWith();
  assertEquals(await rcpt("a@ours.example", rules), "accept");
  assertEquals(await rcpt("a@other.example", rules), "550 5.7.1 Relaying denied");
  assertEquals(await rcpt("gone@other.example", rules), "550 5.7.1 Relaying denied");
  assertEquals(
    await rcpt("gone@ours.example", rules),
    "550 5.7.1 Recipient is on the suppression list of this relay",
  );
  assertEquals(await rcpt("b-1@returns.example", rules), "accept");
  assertEquals(await rcpt("x@returns.example", rules), "550 5.1.1 No such return address");
});

Deno.test("reception: attempts count for the rate, and explaining counts nothing", async () => {
  const usage = new UsageLimits({
    ...{ client: { recipients: { limit: 2, perMs: 60_000 } }, listener: {}, exempt: [] },
  });
  const rules = rulesWith({ usage });
  const explain = () =>
    explainReception(
      { facts: FACTS, mail: { sender: null }, rcpt: requestFor("a@other.example") },
      rules,
    );
  const first = (await explain()).filter(({ verdict }) => verdict === "refuses");
  assertEquals(first.map(({ check, reply }) => [check, reply]), [
    ["relay", "550 5.7.1 Relaying denied"],
  ]);
  await explain();
  await explain();
  assertEquals(await rcpt("a@other.example", rules), "550 5.7.1 Relaying denied");
  assertEquals(await rcpt("a@other.example", rules), "550 5.7.1 Relaying denied");
  const full = await explain();
  assertEquals(full.filter(({ verdict }) => verdict === "refuses").map(({ check }) => check), [
    "recipient_rate",
  ]);
  assertEquals(full.at(-1)?.verdict, "skipped");
  assertEquals((await rcpt("a@ours.example", rules)).slice(0, 9), "450 4.7.1");
});

Deno.test("reception: explain names every check before the content, in order", async () => {
  const checks = await explainReception(
    { facts: FACTS, mail: { sender: null }, rcpt: requestFor("a@ours.example") },
    rulesWith(),
  );
  assertEquals(checks.map(({ stage, check }) => `${stage} ${check}`), [
    "connect listener_connections",
    "connect client_connections",
    "connect client_errors",
    "connect connection_rate",
    "mail store",
    "mail byte_rate",
    "mail message_rate",
    "mail user_sender",
    "mail user_rate",
    "rcpt recipient_rate",
    "rcpt return_address",
    "rcpt relay",
    "rcpt suppression",
  ]);
  assertEquals(checks.every(({ verdict }) => verdict === "passes"), true);
});
