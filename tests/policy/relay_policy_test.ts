import { assertEquals } from "@std/assert";
import { parseMailbox } from "../../src/mail/address.ts";
import { formatReply } from "../../src/mail/reply.ts";
import type { Decision } from "../../src/policy/decision.ts";
import { DomainSet } from "../../src/policy/domain_set.ts";
import { parseNetwork } from "../../src/policy/network.ts";
import { decideRelay, type RelayRules } from "../../src/policy/relay_policy.ts";

const lan = parseNetwork("192.0.2.0/24");
const RULES: RelayRules = {
  trustedNetworks: lan.kind === "ok" ? [lan.network] : [],
  relayDomains: new DomainSet(["example.com", "*.branch.example", "bücher.example"]),
  ownNames: new DomainSet(["relay.example", "[198.51.100.1]"]),
};
const STRANGER = { clientAddress: "203.0.113.9", user: null };

const FOR_ANYBODY = [
  "a@example.com",
  "a@EXAMPLE.COM",
  '"a b"@example.com',
  "a@x.branch.example",
  "a@bücher.example",
  "a@xn--bcher-kva.example",
  "postmaster@relay.example",
  "POSTMASTER@[198.51.100.1]",
];

const FOR_NOBODY = [
  "a@elsewhere.example",
  "a@branch.example",
  "a@relay.example",
  "a@[198.51.100.1]",
  "a@[203.0.113.9]",
  "a@sub.example.com",
  "a%elsewhere.example@example.com",
  "elsewhere.example!a@example.com",
  '"a@elsewhere.example"@example.com',
  '"a%elsewhere.example"@example.com',
  '"\\a\\@elsewhere.example"@example.com',
  "postmaster%elsewhere.example@relay.example",
];

for (const text of FOR_ANYBODY) {
  Deno.test(`relay policy: a stranger reaches ${text}`, () => {
    assertEquals(decide(text, STRANGER), "accept");
  });
}

for (const text of FOR_NOBODY) {
  Deno.test(`relay policy: a stranger does not reach ${text}`, () => {
    assertEquals(decide(text, STRANGER), "refuse");
  });
}

Deno.test("relay policy: a source route is a route for strangers", () => {
  assertEquals(decide("a@example.com", STRANGER, { routed: true }), "refuse");
});

Deno.test("relay policy: trusted networks and users reach everybody", () => {
  for (const text of [...FOR_ANYBODY, ...FOR_NOBODY]) {
    assertEquals(decide(text, { clientAddress: "192.0.2.77", user: null }), "accept");
    assertEquals(decide(text, { clientAddress: "::ffff:192.0.2.77", user: null }), "accept");
    assertEquals(decide(text, { clientAddress: "203.0.113.9", user: "alice" }), "accept");
  }
});

Deno.test("relay policy: a client whose address is not known is not trusted", () => {
  assertEquals(decide("a@elsewhere.example", { clientAddress: "", user: null }), "refuse");
});

Deno.test("relay policy: the refusal says what is wrong, and the log why", () => {
  const words = (text: string, options?: { routed: boolean }) => {
    const decision = judge(text, STRANGER, options);
    if (decision.kind === "accept") return [];
    return [formatReply(decision.reply), decision.cause];
  };
  assertEquals(words("a@elsewhere.example"), [
    "550 5.7.1 Relaying denied",
    "the client is not trusted and the recipient domain is not ours",
  ]);
  for (const [text, routed] of [["a@example.com", true], ["a%b@example.com", false]] as const) {
    assertEquals(words(text, { routed }), [
      "550 5.7.1 Relaying denied: address routes to another host",
      "the recipient is routed through this host",
    ]);
  }
});

function decide(
  text: string,
  client: { clientAddress: string; user: string | null },
  options?: { routed?: boolean },
): string {
  return judge(text, client, options).kind;
}

function judge(
  text: string,
  client: { clientAddress: string; user: string | null },
  { routed = false }: { routed?: boolean } = {},
): Decision {
  const parsed = parseMailbox(text);
  if (parsed.kind === "error") throw new Error(parsed.reason);
  return decideRelay(RULES, { ...client, recipient: parsed.mailbox, routed });
}
