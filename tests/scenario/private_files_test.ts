/** What is in the data folder is for its owner alone, whichever command made it. */
import { assert, assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { startPeer, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { PERMISSIONS, relayConfig, startRelay } from "../support/relay_process.ts";
import { symbolicLink } from "../support/symbolic_link.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const PROJECT = new URL("../../deno.json", import.meta.url).pathname;
const MAIL = encodeText("From: a@relay.test\r\nSubject: x\r\n\r\nHello\r\n");
const SETTINGS = `[queue]\nspool_threshold = "1KiB"\n`;

/** Runs a command as somebody does who lets others in wherever that is not forbidden. */
async function runOpenly(folder: string, args: readonly string[]): Promise<void> {
  const flags = ["--quiet", "--no-prompt", `--config=${PROJECT}`, ...PERMISSIONS];
  const command = [Deno.execPath(), "run", ...flags, MAIN, ...args];
  await using peer = startPeer("sh", {
    args: ["-c", 'umask 0; exec "$@"', "sh", ...command],
    cwd: folder,
  });
  const { code, stderr } = await peer.ended;
  assertEquals([args[0], code], [args[0], 0], stderr);
}

/** Paths below a folder, itself included, that others may use, with their modes. */
async function openToOthers(path: string): Promise<string[]> {
  const { mode, isDirectory, isSocket } = await Deno.lstat(path);
  const found = ((mode ?? 0) & 0o077) === 0 || isSocket ? [] : [`${path} ${mode?.toString(8)}`];
  if (!isDirectory) return found;
  for await (const { name } of Deno.readDir(path)) {
    found.push(...await openToOthers(`${path}/${name}`));
  }
  return found;
}

async function withConfig(folder: string): Promise<void> {
  await Deno.writeTextFile(
    `${folder}/posthouse.toml`,
    relayConfig({ folder, nextHopPort: 9, settings: SETTINGS }),
  );
  await Deno.writeFile(`${folder}/large.eml`, new Uint8Array([...MAIL, ...MAIL]));
  const line = encodeText(`${"x".repeat(70)}\r\n`);
  for (let count = 0; count < 50; count++) {
    await Deno.writeFile(`${folder}/large.eml`, line, { append: true });
  }
}

const COMMANDS: readonly (readonly string[])[] = [
  ["user", "add", "ada", "--generate"],
  ["key", "add", "deploy", "--role", "operator"],
  ["queue", "import", "large.eml", "--to", "b@dest.example", "--from", "a@relay.test"],
];

for (const args of COMMANDS) {
  Deno.test(`${args.slice(0, 2).join(" ")} makes a data folder for its owner alone`, async () => {
    await using folder = await tempFolder();
    await withConfig(folder.path);
    await runOpenly(folder.path, args);
    assertEquals(await openToOthers(`${folder.path}/data`), []);
  });
}

Deno.test("a relay takes its data folder from others, says so, and works on", async () => {
  await using folder = await tempFolder();
  await withConfig(folder.path);
  for (const args of COMMANDS) await runOpenly(folder.path, args);
  const data = `${folder.path}/data`;
  await Deno.mkdir(`${data}/dkim`);
  await Deno.writeTextFile(`${data}/dkim/key.pem`, "secret", { mode: 0o644 });
  await symbolicLink(`${folder.path}/large.eml`, `${data}/link`);
  await Deno.chmod(data, 0o755);
  await Deno.chmod(`${data}/users.toml`, 0o644);
  await Deno.chmod(`${data}/queue.db`, 0o664);
  const outside = (await Deno.stat(`${folder.path}/large.eml`)).mode;
  {
    await using relay = await startRelay({ folder: folder.path, settings: SETTINGS });
    await relay.waitForEvent("started");
    const told = relay.output();
    for (const path of [data, `${data}/users.toml`, `${data}/queue.db`, `${data}/dkim/key.pem`]) {
      assert(told.includes(`${path} was accessible to other users`), path);
    }
    using client = await PlainClient.greet(relay.port);
    const to = ["c@dest.example"];
    const { reply } = await client.send({ from: "a@relay.test", to, data: MAIL });
    assertEquals(reply.code, 250);
    await Deno.remove(`${data}/link`);
    assertEquals(await openToOthers(data), []);
    assertEquals((await Deno.stat(`${folder.path}/large.eml`)).mode, outside);
    await relay.stop();
  }
  await using again = await startRelay({ folder: folder.path, settings: SETTINGS });
  await again.waitForEvent("started");
  assert(!again.output().includes("accessible to other users"));
});
