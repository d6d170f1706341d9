import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadConfig, type LoadResult } from "../../src/config/load.ts";
import { printToml } from "../../src/config/print_toml.ts";
import { load } from "./support.ts";

type Loaded = Extract<LoadResult, { kind: "ok" }>;

function assertLoaded(result: LoadResult): asserts result is Loaded {
  assertEquals(result.kind === "ok" ? [] : result.problems, []);
}

const EVERYTHING = `
hostname = "Relay.Example.net"
data_dir = "/var/lib/posthouse"

[[listeners]]
name = "smtp"
address = "::"
port = 25
max_connections = 10
max_connections_per_address = 2
idle_timeout = "90s"

[[listeners]]
name = "inside"
address = "127.0.0.1"
port = 0

[relay]
networks = ["10.0.0.0/8"]
domains = ["Example.net", "*.example.org"]

[limits]
message_size = "25MiB"
recipients = 100

[queue]
store = "memory"
retry = [30, "1h30m"]
delay_warning = 0
spool_threshold = 0

[notifications]
postmaster = "postmaster@example.net"

[dns]
servers = ["127.0.0.1:5353", "[::1]:54", "192.0.2.1"]

[transports.inside]
type = "smarthost"
hosts = ["mail.example.net", "192.0.2.7:2525", "[2001:db8::1]:26"]
helo = "out.example.net"
timeouts = { connect = "5s", dot = "1m" }

[transports.internet]
type = "mx"
source_address = "192.0.2.9"

[[routes]]
match = { recipient_domain = ["example.net", "*.example.net"], listener = ["inside", "local"] }
transports = ["inside", "internet"]

[[routes]]
name = "rest"
transports = ["internet"]

[log]
level = "debug"
format = "json"
`;

Deno.test("without a config file the defaults hold", async () => {
  const result = await load(null);
  assertLoaded(result);
  const { config } = result;
  assertEquals(result.file, null);
  assertEquals(config.hostname, "relay.example.net");
  assertEquals(config.dataDir, "./data");
  assertEquals(config.listeners.map(({ address, port }) => [address, port]), [
    ["127.0.0.1", 2525],
  ]);
  assertEquals(config.relay, { networks: ["127.0.0.0/8", "::1/128"], domains: [], keepBcc: false });
  assertEquals(Object.values(config.transports).map(({ type }) => type), ["mx"]);
  assertEquals(config.routes, [
    { name: "default", match: {}, transports: ["mx"], rawOnly: false },
  ]);
  assertEquals(config.queue.retryMs.slice(0, 3), [60_000, 120_000, 300_000]);
  assertEquals(config.queue.expireMs, 4 * 86_400_000);
  assertEquals(config.notifications.postmaster, null);
});

Deno.test("a system without a usable name is localhost", async () => {
  const result = await load("", { systemHostname: "my_machine" });
  assertLoaded(result);
  assertEquals(result.config.hostname, "localhost");
});

Deno.test("values are read into the units their names tell", async () => {
  const result = await load(EVERYTHING);
  assertLoaded(result);
  const { listeners, limits, queue, dns, transports, routes, relay } = result.config;
  assertEquals(listeners[0]?.idleTimeoutMs, 90_000);
  assertEquals(limits.messageSizeBytes, 25 * 1024 * 1024);
  assertEquals(queue.retryMs, [30_000, 5_400_000]);
  assertEquals(queue.delayWarningMs, null);
  assertEquals(relay.domains, ["example.net", "*.example.org"]);
  assertEquals(dns.servers, ["127.0.0.1:5353", "[::1]:54", "192.0.2.1"]);
  const inside = transports["inside"];
  assert(inside?.type === "smarthost");
  assertEquals(inside.hosts, [
    { host: "mail.example.net", port: 25 },
    { host: "192.0.2.7", port: 2525 },
    { host: "2001:db8::1", port: 26 },
  ]);
  assertEquals(inside.timeouts.connectMs, 5_000);
  assertEquals(inside.timeouts.mailMs, 300_000);
  assertEquals(routes[0], {
    name: "route-1",
    match: {
      recipientDomain: ["example.net", "*.example.net"],
      listener: ["inside", "local"],
    },
    transports: ["inside", "internet"],
    rawOnly: false,
  });
});

Deno.test("the config is frozen in depth", async () => {
  const result = await load(EVERYTHING);
  assertLoaded(result);
  const { config } = result;
  assertThrows(() => Object.assign(config.limits, { errors: 1 }), TypeError);
  assertThrows(() => Object.assign(config.queue.retryMs, [1]), TypeError);
});

Deno.test("the effective config is a config file that means the same", async () => {
  for (const source of ["", EVERYTHING]) {
    const first = await load(source);
    assertLoaded(first);
    const second = await load(printToml(first.effective));
    assertLoaded(second);
    assertEquals(second.config, first.config);
    assertEquals(second.effective, first.effective);
  }
});

Deno.test("environment and files give text, numbers, switches and lists", async () => {
  const result = await load(
    `hostname = { env = "NAME" }
    data_dir = { file = "/run/secrets/dir" }
    listeners = [{ name = "a", port = { env = "PORT" } }]
    [relay]
    networks = { env = "NETWORKS" }
    domains = [{ env = "DOMAIN" }]
    [queue]
    expire = { env = "EXPIRE" }
    retry_jitter = { env = "JITTER" }`,
    {
      env: {
        NAME: "a.example",
        PORT: " 2526 ",
        NETWORKS: "10.0.0.0/8, ::1",
        DOMAIN: "example.net",
        EXPIRE: "2d",
        JITTER: "0.5",
      },
      files: { "/run/secrets/dir": "/data\n" },
    },
  );
  assertLoaded(result);
  const { config, effective } = result;
  assertEquals(config.hostname, "a.example");
  assertEquals(config.dataDir, "/data");
  assertEquals(config.listeners[0]?.port, 2526);
  assertEquals(config.relay, {
    networks: ["10.0.0.0/8", "::1"],
    domains: ["example.net"],
    keepBcc: false,
  });
  assertEquals(config.queue.expireMs, 2 * 86_400_000);
  assertEquals(config.queue.retryJitter, 0.5);
  assertEquals(effective["hostname"], { env: "NAME" });
  assertEquals(effective["data_dir"], { file: "/run/secrets/dir" });
  assertEquals(effective["relay"], {
    networks: { env: "NETWORKS" },
    domains: [{ env: "DOMAIN" }],
    keep_bcc: false,
  });
});

Deno.test("a file that was named must be there", async () => {
  const result = await loadConfig({
    path: "other.toml",
    env: () => undefined,
    readFile: () => Promise.reject(new Deno.errors.NotFound("not there")),
    systemHostname: "a.example",
  });
  assertEquals(result, {
    kind: "invalid",
    problems: [{
      file: "other.toml",
      path: "",
      line: 1,
      column: 1,
      expected: "a readable file",
      got: "no such file",
    }],
  });
});

Deno.test("the default file must be readable when it is there", async () => {
  const result = await loadConfig({
    env: () => undefined,
    readFile: () => Promise.reject(new Deno.errors.PermissionDenied("not yours")),
    systemHostname: "a.example",
  });
  assertEquals(result.kind === "invalid" && result.problems[0]?.got, "not yours");
});

Deno.test("keys and table names that need quotes survive printing", async () => {
  const result = await load(`[transports."to the world"]\ntype = "mx"\n`);
  assertLoaded(result);
  const again = await load(printToml(result.effective));
  assertLoaded(again);
  assertEquals(again.config.routes[0]?.transports, ["to the world"]);
});

Deno.test("TLS and login of transports are read, and secrets are not printed", async () => {
  const result = await load(
    `[transports.out]
    type = "smarthost"
    hosts = ["smtp.example.net"]
    tls = "implicit"
    auth = { username = "relay", password = { env = "PASSWORD" } }
    [transports.other]
    type = "smarthost"
    hosts = ["smtp.example.net"]
    auth = { username = "relay", password = "written down" }
    [transports.mx]
    type = "mx"
    tls_fingerprints = ["${"AB:".repeat(31)}ab"]
    tls_overrides = [{ domain = "*.Example.org", tls = "verified", tls_names = ["MX.example.org"] }]
    [[routes]]
    transports = ["out", "other", "mx"]`,
    { env: { PASSWORD: "sesame" } },
  );
  assertLoaded(result);
  const { out, other, mx } = result.config.transports;
  assert(out?.type === "smarthost" && other?.type === "smarthost" && mx?.type === "mx");
  assertEquals(out.hosts, [{ host: "smtp.example.net", port: 465 }]);
  assertEquals(out.tls.implicit, true);
  assertEquals(out.auth?.credentials, { kind: "password", password: "sesame" });
  assertEquals([out, other, mx].map(({ tls }) => tls.rule.level), [
    "verified",
    "verified",
    "opportunistic",
  ]);
  assertEquals(mx.tls.rule.fingerprints, ["ab".repeat(32)]);
  assertEquals(mx.tlsOverrides, [{
    domain: "*.example.org",
    rule: { level: "verified", names: ["mx.example.org"], fingerprints: [] },
  }]);
  const printed = printToml(result.effective);
  assert(!printed.includes("sesame") && !printed.includes("written down"), printed);
});
