import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { configJsonSchema } from "../../src/config/json_schema.ts";
import { testAuthority } from "../support/certificates.ts";
import { tempFolder } from "../support/peers.ts";
import { run, start } from "./support.ts";

Deno.test("check without a config file prints the defaults", async () => {
  const { code, out, err } = await run(["check"]);
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "# no config file, these are the defaults\n");
  assertStringIncludes(out, `hostname = "relay.example.net"\n`);
  assertStringIncludes(out, "port = 2525\n");
});

Deno.test("what check prints is a config file that it accepts", async () => {
  const { out } = await run(["check"]);
  const again = await run(["check", "--config", "/a.toml"], { files: { "/a.toml": out } });
  assertEquals(again.code, 0);
  assertEquals(again.out.replace(/^#.*\n/, ""), out.replace(/^#.*\n/, ""));
});

Deno.test("check prints every problem and exits with 2", async () => {
  const files = { "/etc/relay.toml": `[queue]\nexpire = "soon"\n[limits]\nerors = 1\n` };
  const { code, out, err } = await run(["check", "-c", "/etc/relay.toml"], { files });
  assertEquals([code, out], [2, ""]);
  const lines = err.split("\n");
  assertEquals(
    lines[0],
    `/etc/relay.toml:2:10: queue.expire: expected a duration such as "30s", "5m" or "1h30m", ` +
      `at least 1s, got "soon"`,
  );
  assertMatch(
    lines[1] ?? "",
    /^\/etc\/relay\.toml:4:1: limits\.erors: expected one of .*errors.*, got "erors" \(did you mean "errors"\?\)$/,
  );
  assertEquals(lines.slice(2), ["2 problems in the configuration.", ""]);
});

Deno.test("check never prints what came from the environment or a file", async () => {
  const { code, out } = await run(["check"], {
    files: {
      "posthouse.toml": `hostname = { env = "NAME" }\ndata_dir = { file = "/dir" }\n`,
      "/dir": "/hidden",
    },
    env: { NAME: "hidden.example" },
  });
  assertEquals(code, 0);
  assertStringIncludes(out, `hostname = { env = "NAME" }`);
  assert(!out.includes("hidden"));
});

Deno.test("check --json gives settings or problems", async () => {
  const fine = await run(["check", "--json"]);
  assertEquals(fine.code, 0);
  const settings = JSON.parse(fine.out);
  assertEquals([settings.valid, settings.file], [true, null]);
  assertEquals(settings.config.listeners[0].port, 2525);

  const broken = await run(["check", "--json"], { files: { "posthouse.toml": "a = " } });
  assertEquals(broken.code, 2);
  const { valid, problems: [problem] } = JSON.parse(broken.out);
  assertEquals([valid, problem.file, problem.expected], [false, "posthouse.toml", "valid TOML"]);
});

Deno.test("check tells that a named file is missing", async () => {
  const { code, err } = await run(["check", "--config", "nowhere.toml"]);
  assertEquals(code, 2);
  assertStringIncludes(err, "nowhere.toml:1:1: expected a readable file, got no such file");
});

Deno.test("schema prints the JSON schema", async () => {
  const { code, out } = await run(["schema"]);
  assertEquals(code, 0);
  assertEquals(JSON.parse(out), configJsonSchema());
});

Deno.test("version tells what the program stands on", async () => {
  const { code, out } = await run(["version", "--json"]);
  assertEquals(code, 0);
  const facts = JSON.parse(out);
  assertEquals(Object.keys(facts), ["posthouse", "deno", "v8", "sqlite", "platform"]);
  assertEquals([facts.posthouse, facts.deno], [manifest.version, Deno.version.deno]);
  const text = await run(["version"]);
  assertStringIncludes(text.out, `posthouse ${manifest.version}\n`);
});

const CERTIFICATES = `[tls]
certificates = [
  { certificate = "one.crt", key = "one.key" },
]
`;

/** What `check` says of a certificate and its key. */
async function checkPair(certificate: string, key: string): Promise<[number, string]> {
  const files = { "posthouse.toml": CERTIFICATES, "one.crt": certificate, "one.key": key };
  const { code, err } = await run(["check"], { files });
  return [code, err.split("\n")[0] ?? ""];
}

Deno.test("check names the file of a certificate or key that cannot be used, and what is wrong", async () => {
  const authority = testAuthority();
  const notAfterMs = Date.now() + 30 * 24 * 3600_000;
  const { certificate, key } = authority.issue({ names: ["relay.test"], notAfterMs });
  const other = authority.issue({ names: ["other.test"] });
  const place = "posthouse.toml:3:3: tls.certificates[0]: expected a certificate and its key, got ";
  assertEquals(await checkPair(certificate, key), [0, ""]);
  assertEquals(await checkPair(key, certificate), [
    2,
    `${place}one.crt holds no certificate in PEM, but a private key: certificate and key may be ` +
    "swapped",
  ]);
  assertEquals(await checkPair(certificate, other.key), [
    2,
    `${place}The key in one.key does not belong to the certificate in one.crt`,
  ]);
  assertEquals(await checkPair(certificate, ""), [
    2,
    `${place}one.key holds no private key in PEM`,
  ]);
  const [, damaged] = await checkPair(certificate.replace(/\n.{20}/, "\n"), key);
  assertStringIncludes(damaged, `${place}one.crt is damaged: `);
  const missing = await run(["check"], { files: { "posthouse.toml": CERTIFICATES } });
  assertStringIncludes(missing.err, `${place}Cannot read one.crt: `);
});

Deno.test("check and serve warn of a certificate that ends soon, and of an open relay", async () => {
  await using folder = await tempFolder();
  const notAfterMs = Date.now() + 24 * 3600_000;
  const { certificate, key } = testAuthority().issue({ names: ["relay.test"], notAfterMs });
  await Deno.writeTextFile(`${folder.path}/one.crt`, certificate);
  await Deno.writeTextFile(`${folder.path}/one.key`, key);
  const toml = CERTIFICATES.replaceAll("one.", `${folder.path}/one.`) +
    `[[listeners]]\nname = "in"\naddress = "0.0.0.0"\nport = 0\n[relay]\nnetworks = ["0.0.0.0/0"]\n`;
  const files = {
    "posthouse.toml": `data_dir = "${folder.path}/data"\nadmin.enabled = false\n${toml}`,
  };
  const { code, out, err } = await run(["check"], { files });
  assertEquals(code, 0);
  assertStringIncludes(err, "warning: Clients of listener in (0.0.0.0 port 0) in 0.0.0.0/0");
  assertMatch(err, /tls\.certificates\[0\]: warning: The certificate in \S+ expires on \d{4}-/);
  assertStringIncludes(out, `name = "in"`);
  const { warnings } = JSON.parse((await run(["check", "--json"], { files })).out);
  assertEquals(warnings.length, 2);
  const relay = start(["serve"], { files });
  await relay.waitForOutput(/"level":"warning".*may send to any domain without a login/);
  await relay.waitForOutput(/"type":"started"/);
  relay.signal("SIGTERM");
  assertEquals((await relay.finished).code, 0);
});
