import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startDnsServer } from "../support/dns_server.ts";
import { run, type World } from "./support.ts";

Deno.test("preflight tells what is missing, and fails", async () => {
  await using dns = await startDnsServer();
  dns.add("relay.example.net", "A", ["192.0.2.10"]);
  const config = `hostname = "relay.example.net"\ndns.servers = ["${dns.address}"]\n`;
  const world: World = { files: { "posthouse.toml": config } };
  const { code, out } = await run(["preflight"], world);
  assertEquals(code, 1);
  assertMatch(out, /^example\.net\n {2}fail +SPF: /);
  assertStringIncludes(out, "example.net. TXT v=spf1 ");
  const { reports } = JSON.parse((await run(["preflight", "Example.org", "--json"], world)).out);
  assertEquals(reports[0].domain, "example.org");
});

Deno.test("preflight needs a domain", async () => {
  const files = { "posthouse.toml": `hostname = "relay"\n` };
  const { code, err } = await run(["preflight"], { files });
  assertEquals([code, err], [2, "Name a domain; the config has none.\n"]);
});
