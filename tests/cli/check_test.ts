import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { configJsonSchema } from "../../src/config/json_schema.ts";
import { run } from "./support.ts";

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
