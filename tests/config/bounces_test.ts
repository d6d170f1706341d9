import { assert, assertEquals } from "@std/assert";
import { formatProblem } from "../../src/config/problems.ts";
import { load } from "./support.ts";

const DAY_MS = 86_400_000;
const KEY = `key = "0123456789abcdef"`;

async function problemsOf(source: string): Promise<readonly string[]> {
  const result = await load(source);
  return result.kind === "ok" ? [] : result.problems.map(formatProblem);
}

Deno.test("bounces: nothing is suppressed by mail that comes back unless it is asked for", async () => {
  const result = await load(null);
  assert(result.kind === "ok");
  const { domains, mailboxes, refusals } = result.config.bounces;
  assertEquals([domains, mailboxes, refusals], [[], [], false]);
});

Deno.test("bounces: times of 0 are for ever, the key comes from where it is kept", async () => {
  const source = `
    [bounces]
    domains = ["Bounces.Example.Net"]
    key = { env = "BOUNCE_KEY" }
    suppress_for = "30d"
    suppress_soft_for = 0
  `;
  const result = await load(source, { env: { BOUNCE_KEY: "0123456789abcdef" } });
  assert(result.kind === "ok");
  const { bounces } = result.config;
  assertEquals(bounces.domains, ["bounces.example.net"]);
  assertEquals(bounces.key, "0123456789abcdef");
  assertEquals(bounces.suppressForMs, 30 * DAY_MS);
  assertEquals([bounces.suppressComplaintsForMs, bounces.suppressSoftForMs], [null, null]);
  assert(!JSON.stringify(result.effective).includes("0123456789abcdef"));
});

const MISTAKES: Readonly<Record<string, readonly [toml: string, problem: string]>> = {
  "domains without a key": [
    `bounces.domains = ["bounces.test"]`,
    "bounces.key: expected a secret, because bounces.domains is set, got nothing",
  ],
  "a key without domains": [
    `[bounces]\n${KEY}`,
    "bounces.domains: expected at least one domain, because bounces.key is set, got nothing",
  ],
  "a key that can be guessed": [
    `[bounces]\ndomains = ["bounces.test"]\nkey = "secret"`,
    "bounces.key: expected a secret of at least 16 characters",
  ],
  "a domain that is relayed": [
    `relay.domains = ["bounces.test"]\n[bounces]\ndomains = ["bounces.test"]\n${KEY}`,
    "bounces.domains[0]: expected a domain that is not in relay.domains",
  ],
  "a transport that is not there": [
    `transports.out.type = "mx"\n[bounces]\ntransports = ["ouf"]`,
    "bounces.transports[0]: expected the name of a transport (out)",
  ],
  "a transport that has no reverse-path": [
    `transports.api = { type = "resend", api_key = "x" }\n[bounces]\ntransports = ["api"]`,
    "bounces.transports[0]: expected a transport of type mx, smarthost, lmtp, got one of type",
  ],
  "a transport with the name of its own": [
    `transports.bounces.type = "mx"\n[bounces]\nmailboxes = ["fbl@source.test"]`,
    "transports.bounces: expected a name other than bounces",
  ],
  "a postmaster that is a bounce mailbox": [
    `notifications.postmaster = "Fbl@source.test"\nbounces.mailboxes = ["fbl@source.test"]`,
    "notifications.postmaster: expected a mailbox outside bounces.domains",
  ],
  "no sender's address": [
    `[bounces]\nsenders = ["example.net"]`,
    "bounces.senders[0]: expected a mail address",
  ],
};

for (const [name, [toml, expected]] of Object.entries(MISTAKES)) {
  Deno.test(`bounces: ${name} is a mistake`, async () => {
    const problems = await problemsOf(toml);
    assert(problems.some((problem) => problem.includes(expected)), problems.join("\n"));
  });
}
