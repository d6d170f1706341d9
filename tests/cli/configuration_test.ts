/** Commands beside a config that the relay would not start with. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { tempFolder } from "../support/peers.ts";
import { run } from "./support.ts";

/** A typo, and a secret that only the service's environment has. */
const BROKEN = `[queeu]
expire = "5d"
[transports.out]
type = "smarthost"
hosts = ["smtp.example.net:587"]
auth = { username = "a", password = { env = "RELAY_PASSWORD" } }
`;

const PROBLEMS =
  /^posthouse\.toml:\d+:\d+: queeu: [^\n]*\nposthouse\.toml:\d+:\d+: transports\.out\.auth\.password: [^\n]*RELAY_PASSWORD[^\n]*\nThe command runs without them, but the relay does not start: 2 problems in the config\.\n/;

Deno.test("commands read what they need of a config, and warn of mistakes in the rest", async () => {
  await using folder = await tempFolder();
  const files = { "posthouse.toml": `data_dir = "${folder.path}/data"\n${BROKEN}` };
  const commands = [
    ["user", "add", "ada", "--generate"],
    ["user", "list"],
    ["key", "add", "shop", "--scope", "send"],
    ["key", "list"],
    ["init", "systemd"],
  ];
  for (const args of commands) {
    const { code, err } = await run(args, { files });
    assertEquals(code, 0, `${args.join(" ")}: ${err}`);
    assertMatch(err, PROBLEMS, args.join(" "));
  }
  const list = await run(["queue", "list"], { files });
  assertStringIncludes(list.err, `There is no queue in ${folder.path}/data yet.\n`);
});

Deno.test("commands do without what is no TOML, but not without what they need", async () => {
  await using folder = await tempFolder();
  const toml = `data_dir = "${folder.path}/data"\n[queue]\nexpire = 5 days\n`;
  const fine = await run(["key", "list"], { files: { "posthouse.toml": toml } });
  assertEquals(fine.code, 0);
  assertStringIncludes(fine.err, "posthouse.toml:3:12: expected valid TOML");
  const wrong = await run(["key", "list"], { files: { "posthouse.toml": `data_dir = 1\n` } });
  assertEquals([wrong.code, wrong.out], [2, ""]);
  const all = await run(["check"], { files: { "posthouse.toml": toml } });
  assertEquals(all.code, 2);
});
