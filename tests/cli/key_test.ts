import { assertEquals, assertMatch } from "@std/assert";
import { tempFolder } from "../support/peers.ts";
import { startTestRelay } from "./relay/running_relay.ts";
import { run, type World } from "./support.ts";

Deno.test("keys are made, listed and revoked without a relay", async () => {
  await using folder = await tempFolder();
  const config = `data_dir = "${folder.path}"\n[[admin.tokens]]\nname = "ci"\n` +
    `token = "a-token-of-enough-characters"\n`;
  const world: World = { files: { "posthouse.toml": config } };
  const added = await run(["key", "add", "deploy", "--role", "operator", "--for", "1d"], world);
  assertEquals(added.code, 0);
  assertMatch(added.out, /^posthouse_[\w-]+_[\w-]+\n$/);
  const id = /^Created key (\S+) \(operator\)/.exec(added.err)?.[1] ?? "";
  const { out } = await run(["key", "list"], world);
  assertMatch(out, /^config-ci +ci +viewer +- +config +- +configuration +-$/m);
  const line = `^${id} +deploy +operator +anybody +file +now +command line +in 23h$`;
  assertMatch(out, new RegExp(line, "m"));
  assertEquals((await run(["key", "revoke", id], world)).out, `Revoked ${id}.\n`);
  assertEquals(await run(["key", "revoke", id], world), {
    code: 1,
    out: "",
    err: `There is no key ${id}; see posthouse key list.\n`,
  });
  assertEquals((await run(["key", "revoke", "config-ci"], world)).code, 1);
  assertEquals(JSON.parse((await run(["key", "list", "--json"], world)).out).items.length, 1);
  assertEquals((await run(["key", "add"], world)).code, 2);
});

Deno.test("a key has scopes, and mailboxes it may send as", async () => {
  await using folder = await tempFolder();
  const world: World = { files: { "posthouse.toml": `data_dir = "${folder.path}"\n` } };
  const cases: [string[], string, boolean][] = [
    [["--scope", "send"], "sender", true],
    [["--role", "sender"], "sender", true],
    [["--scope", "read"], "viewer", false],
    [["--scope", "read", "--scope", "send"], "viewer", true],
    [["--scope", "operate"], "operator", false],
    [["--role", "operator"], "operator", true],
  ];
  const senders = ["*@shop.example", "ada@x.example"];
  for (const [flags, role, send] of cases) {
    const named = senders.flatMap((sender) => ["--sender", sender]);
    const { out } = await run(["key", "add", "app", ...flags, ...named, "--json"], world);
    const { key } = JSON.parse(out);
    assertEquals([key.role, key.send, key.senders], [role, send, senders], flags.join(" "));
  }
  const { out } = await run(["key", "list"], world);
  assertMatch(out, / sender +\*@shop\.example ada@x\.example /);
  const both = await run(["key", "add", "app", "--role", "viewer", "--scope", "send"], world);
  assertEquals([both.code, both.err], [2, "Use either --role or --scope.\n"]);
  assertEquals((await run(["key", "add", "app", "--scope", "fly"], world)).code, 2);
});

Deno.test("a running relay knows a key at once, and forgets it at once", async () => {
  await using relay = await startTestRelay("admin.open_on_loopback = false");
  const world: World = {
    files: { "posthouse.toml": `data_dir = "${relay.folder}/data"\n` },
  };
  const { key, secret } = JSON.parse((await run(["key", "add", "me", "--json"], world)).out);
  assertEquals((await relay.run(["transports", "list", "--token", secret])).code, 0);
  await run(["key", "revoke", key.id], world);
  assertEquals((await relay.run(["transports", "list", "--token", secret])).code, 1);
});

Deno.test("a damaged file of keys is told in one line", async () => {
  await using folder = await tempFolder();
  await Deno.writeTextFile(`${folder.path}/access.json`, "nonsense");
  const files = { "posthouse.toml": `data_dir = "${folder.path}"\n` };
  const { code, err } = await run(["key", "list"], { files });
  assertEquals(code, 1);
  assertMatch(err, /^Cannot read [^\n]+\n$/);
});
