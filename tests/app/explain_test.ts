import { assertEquals, assertStringIncludes } from "@std/assert";
import { startDnsServer } from "../support/dns_server.ts";
import { run } from "../cli/support.ts";
import { generateKey } from "../../src/signing/key.ts";

const CONFIG = `
[transports.internet]
type = "mx"
[transports.spare]
type = "smarthost"
hosts = ["127.0.0.1:2526"]
tls = "required"
source_address = ["192.0.2.1", "2001:db8::1"]
proxy = "socks5://relay:s3cret@proxy.example"
[transports.found]
type = "smarthost"
srv = "provider.example"
tls = "implicit"
[transports.plain]
type = "smarthost"
srv = "provider.example"
[[routes]]
name = "servers"
match = { recipient = ["*@srv.example"] }
transports = ["found", "plain"]
[[routes]]
name = "tenant"
match = { header = { "X-Tenant" = ["acme"] } }
transports = ["internet", "spare"]
weights = [9, 1]
[[routes]]
name = "quiet"
match = { recipient = ["*@captured.example"] }
mode = "capture"
[[routes]]
name = "rest"
transports = ["internet"]
[[shaping]]
name = "big"
mx = ["*.big.example"]
messages_per_minute = 60
[[dkim]]
domain = "source.example"
selector = "s1"
key = { env = "KEY" }
`;

async function explain(
  args: readonly string[],
  more = "",
): Promise<{ code: number; out: string }> {
  await using dns = await startDnsServer();
  dns.add("dest.example", "MX", [{ preference: 10, exchange: "mx1.big.example" }]);
  dns.add("mx1.big.example", "A", ["192.0.2.7"]);
  dns.add("_submissions._tcp.provider.example", "SRV", [
    { priority: 0, weight: 0, port: 465, target: "smtp.provider.example" },
  ]);
  dns.add("_submission._tcp.provider.example", "SRV", [
    { priority: 0, weight: 0, port: 0, target: "." },
  ]);
  dns.add("smtp.provider.example", "A", ["192.0.2.8"]);
  dns.add("loop.example", "MX", [
    { preference: 10, exchange: "mx1.big.example" },
    { preference: 20, exchange: "Relay.Example.Net" },
    { preference: 30, exchange: "mx1.big.example" },
  ]);
  dns.add("relay.example.net", "A", ["192.0.2.9"]);
  dns.add("null.example", "MX", [{ preference: 0, exchange: "." }]);
  const toml = `dns.servers = ["${dns.address}"]\n${CONFIG}${more}`;
  return await run(["explain", ...args, "--offline", "--config", "/c.toml"], {
    files: { "/c.toml": toml },
    env: { KEY: generateKey({ type: "ed25519" }) },
  });
}

Deno.test("explain tells rule, hosts, TLS, limits and keys without a relay", async () => {
  const args = ["a@dest.example", "--from", "me@source.example", "--json"];
  const { code, out } = await explain(args);
  assertEquals(code, 0);
  const { route, mode, transports, dkim, steps, suppressed, bounce } = JSON.parse(out);
  assertEquals([route, mode], ["rest", "deliver"]);
  const looked = steps.map((step: { route: string }) => step.route);
  assertEquals(looked, ["servers", "tenant", "quiet", "rest"]);
  assertEquals(transports, [{
    ...{ name: "internet", kind: "mx", format: null, weight: null, destination: "dest.example" },
    hosts: [{
      ...{ host: "mx1.big.example", port: 25, preference: 10, addresses: ["192.0.2.7"] },
      ...{ problem: "", tlsa: null, tls: "opportunistic TLS" },
    }],
    limits: [{ rule: "big", limit: "60 messages a minute, shared" }],
    ...{ state: "unknown", reason: "" },
    tls: "opportunistic; more where DANE and MTA-STS ask for it",
    returnPath: "me@source.example",
    proxy: null,
    sourceAddresses: [],
  }]);
  assertEquals(suppressed, null);
  const told = { to: "me@source.example", route: "rest", mode: "deliver" };
  assertEquals(bounce, { ...told, transports: ["internet"] });
  assertEquals(dkim, [{ domain: "source.example", selector: "s1", algorithm: "ed25519-sha256" }]);
});

Deno.test("explain looks at header fields and shows weights", async () => {
  const { out } = await explain(["--to", "a@null.example", "--header", "X-Tenant: acme"]);
  assertStringIncludes(out, "1. internet (mx, weight 9)");
  assertStringIncludes(out, "MX 0 .:25: the domain accepts no mail (null MX)");
  assertStringIncludes(out, "2. spare (smarthost, weight 1)");
  assertStringIncludes(out, "127.0.0.1:2526: 127.0.0.1; TLS with any certificate\n");
  assertStringIncludes(
    out,
    "from: 192.0.2.1, 2001:db8::1\n   proxy: socks5://proxy.example:1080\n",
  );
  assertStringIncludes(out, "Not signed");
});

Deno.test("explain shows mail that would stay here", async () => {
  const { out } = await explain(["a@captured.example"]);
  assertStringIncludes(out, "captured: kept here and not sent");
});

Deno.test("explain asks for the servers of the kind of TLS that is configured", async () => {
  const { out } = await explain(["a@srv.example"]);
  assertStringIncludes(out, "smtp.provider.example:465: 192.0.2.8");
  assertStringIncludes(out, "_submission._tcp.provider.example: the domain offers no submission");
});

Deno.test("explain tells which exchangers lead back here", async () => {
  const { out } = await explain(["a@loop.example"]);
  assertEquals(out.match(/^ {3}MX .*$/gm), [
    "   MX 10 mx1.big.example:25: 192.0.2.7; opportunistic TLS",
    "   MX 20 relay.example.net:25: the host is this relay or has no better preference: mail would loop",
    "   MX 30 mx1.big.example:25: the host is this relay or has no better preference: mail would loop",
  ]);
});

const BOUNCES = `
[bounces]
domains = ["bounces.source.example"]
key = "0123456789abcdef0123456789abcdef"
senders = ["*@source.example"]
[notifications]
postmaster = "ops@captured.example"
`;

Deno.test("explain shows the return path, and who is notified of a failure by which route", async () => {
  const told = async (...args: string[]): Promise<string[]> => {
    const { out } = await explain(["a@dest.example", ...args], BOUNCES);
    return [.../return path: (.*)/.exec(out)?.slice(1) ?? [], ...out.match(/^If it .*$/m) ?? []];
  };
  assertEquals(await told("--from", "me@source.example"), [
    "b-…@bounces.source.example",
    "If it fails, me@source.example is notified, by route rest by internet.",
  ]);
  assertEquals(await told("--from", "you@other.example"), [
    "you@other.example",
    "If it fails, you@other.example is notified, by route rest by internet.",
  ]);
  assertEquals(await told("--from", "<>"), [
    "<>",
    "If it fails, ops@captured.example is notified, by route quiet, which captures it.",
  ]);
  const { out } = await explain(["a@dest.example", "--from", "<>"]);
  assertStringIncludes(out, "If it fails, no notification is sent: it has no sender.");
  const captured = await explain(["a@captured.example", "--from", "me@source.example"]);
  assertEquals(captured.out.includes("If it fails"), false);
  const redirected = await explain(
    ["a@dest.example", "--from", "me@source.example"],
    `${BOUNCES}[delivery]\nredirect = "qa@srv.example"\n`,
  );
  assertStringIncludes(redirected.out, "return path: me@source.example\n");
  assertStringIncludes(redirected.out, "by route rest by internet, redirected as well.");
});

const PRIORITY = `
[[routes]]
match = { min_priority = 2 }
transports = ["internet"]
`;

Deno.test("explain takes the priority of a message", async () => {
  const files = { "/c.toml": `[transports.internet]\ntype = "mx"\n${PRIORITY}` };
  const asked = ["explain", "a@[192.0.2.1]", "--offline", "--config", "/c.toml"];
  assertEquals((await run([...asked, "--priority", "3"], { files })).code, 0);
  assertEquals((await run([...asked, "--priority=-3"], { files })).code, 1);
  assertEquals((await run([...asked, "--priority", "high"], { files })).code, 2);
});

Deno.test("explain tells who is behind an alias", async () => {
  const aliases = `[aliases]\n"team@dest.example" = ["ann@dest.example", "bob@b.example"]\n`;
  const { out } = await explain(["team@dest.example"], aliases);
  assertStringIncludes(
    out,
    "is an alias for ann@dest.example, bob@b.example; explain those instead.",
  );
});
