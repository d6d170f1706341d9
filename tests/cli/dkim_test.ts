import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startDnsServer } from "../support/dns_server.ts";
import { havePeer, runPeer, tempFolder } from "../support/peers.ts";
import { run as runCli } from "./support.ts";

Deno.test("dkim generate writes a key only its owner can read and prints its record", async () => {
  await using folder = await tempFolder();
  const file = `${folder.path}/key.pem`;
  const args = ["dkim", "generate", "--domain", "Example.net", "--selector", "s1", "--out", file];
  const { code, out } = await runCli(args);
  assertEquals(code, 0);
  assertStringIncludes(out, `s1._domainkey.example.net. IN TXT ( "v=DKIM1; k=rsa; p=MIIB`);
  assertMatch(await Deno.readTextFile(file), /^-----BEGIN PRIVATE KEY-----/);
  assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
  const again = await runCli(args);
  assertEquals(again.code, 1);
  assertStringIncludes(again.err, "it was not changed");
});

const RSA_SIZES = [2048, 3072, 4096];

for (const bits of RSA_SIZES) {
  Deno.test({
    name: `dkim generate: the record of ${bits} bits is that of the key (needs openssl)`,
    ignore: !havePeer("openssl"),
    async fn() {
      await using folder = await tempFolder();
      const file = `${folder.path}/key.pem`;
      const args = ["-d", "example.net", "-s", "s1", "--bits", String(bits), "--out", file];
      const { out } = await runCli(["dkim", "generate", ...args]);
      const line = out.split("\n").find((one) => one.includes(" IN TXT ")) ?? "";
      const strings = [...line.matchAll(/"([^"]*)"/g)].map(([, text = ""]) => text);
      assert(strings.every(({ length }) => length <= 255));
      const { stdout } = await runPeer("openssl", { args: ["pkey", "-in", file, "-pubout"] });
      const published = stdout.replace(/-----[^-]*-----|\s/g, "");
      assertEquals(strings.join(""), `v=DKIM1; k=rsa; p=${published}`);
      assertStringIncludes(out, `\nValue: v=DKIM1; k=rsa; p=${published}\n`);
    },
  });
}

Deno.test("dkim generate refuses what no key can be made of", async () => {
  for (const args of [[], ["-d", "nowhere"], ["-d", "example.net", "--bits", "1024"]]) {
    assertEquals((await runCli(["dkim", "generate", ...args])).code, 2);
  }
});

Deno.test("dkim check looks at the key that seals, too", async () => {
  await using folder = await tempFolder();
  await using dns = await startDnsServer();
  const file = `${folder.path}/seal.pem`;
  await runCli(["dkim", "generate", "-d", "example.net", "-s", "seal", "-o", file]);
  const config = `dns.servers = ["${dns.address}"]\n[arc]\ndomain = "example.net"\n` +
    `selector = "seal"\nkey = { file = "${file}" }\n`;
  const path = `${folder.path}/posthouse.toml`;
  await Deno.writeTextFile(path, config);
  const { code, out } = await runCli(["dkim", "check", "--config", path]);
  assertEquals(code, 1);
  assertMatch(out, /wrong +seal\._domainkey\.example\.net \(rsa-sha256\): There is no such record/);
  assertStringIncludes(out, `Expected: seal._domainkey.example.net. IN TXT ( "v=DKIM1;`);
});

Deno.test("dkim check holds each key against the DNS", async () => {
  await using folder = await tempFolder();
  await using dns = await startDnsServer();
  let config = `[dns]\nservers = ["${dns.address}"]\n`;
  for (const [selector, published] of [["good", true], ["missing", false]] as const) {
    const file = `${folder.path}/${selector}.pem`;
    const args = ["-d", "example.net", "-s", selector, "--type", "ed25519", "-o", file, "--json"];
    const { out } = await runCli(["dkim", "generate", ...args]);
    const { name, value } = JSON.parse(out);
    if (published) dns.add(name, "TXT", [value.match(/.{1,255}/g)]);
    config += `[[dkim]]\ndomain = "example.net"\nselector = "${selector}"\n`;
    config += `key = { file = "${file}" }\n`;
  }
  const path = `${folder.path}/posthouse.toml`;
  await Deno.writeTextFile(path, config);
  const { code, out } = await runCli(["dkim", "check", "--config", path, "--json"]);
  assertEquals(code, 1);
  const verdicts = JSON.parse(out).map(({ selector, verdict }: Record<string, string>) =>
    `${selector} ${verdict}`
  );
  assertEquals(verdicts, ["good ok", "missing wrong"]);
});
