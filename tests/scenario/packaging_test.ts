import { assertEquals, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { runPeer, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startPosthouse, startRelay } from "../support/relay_process.ts";
import { assertOnlyTraceAdded, sampleMessage } from "../support/sample_messages.ts";

const PROJECT_FOLDER = new URL("../../", import.meta.url).pathname;
const MESSAGE = sampleMessage();

/** Runs the commands of a task with another output folder. */
async function runTask(command: string, outputFolder: string): Promise<void> {
  for (const part of command.replaceAll("dist/", `${outputFolder}/`).split(" && ")) {
    const args = part.split(" ").slice(1); // without `deno`
    const result = await runPeer(Deno.execPath(), { args, cwd: PROJECT_FOLDER });
    assertEquals(result.code, 0, result.stderr);
  }
}

/** Asserts that a program tells its version and relays a message. */
async function assertRelays({ program, folder }: { program: string; folder: string }) {
  await using version = startPosthouse(["version"], { cwd: folder, program });
  assertStringIncludes((await version.ended).stdout, manifest.version);
  await using sink = startRecordingSink();
  await using relay = await startRelay({ folder, program, nextHopPort: sink.port });
  using client = await PlainClient.greet(relay.port);
  const to = ["b@sink.test"];
  const { reply } = await client.send({ from: "a@source.test", to, data: MESSAGE });
  assertEquals(reply.code, 250);
  await sink.waitForMessages(1);
  assertOnlyTraceAdded({ received: sink.messages[0]?.data ?? new Uint8Array(), sent: MESSAGE });
}

Deno.test("packaging: the bundle relays", async () => {
  await using folder = await tempFolder();
  await runTask(manifest.tasks.bundle.command, folder.path);
  await assertRelays({ program: `${folder.path}/main.js`, folder: folder.path });
});

Deno.test({
  name: "packaging: the executable relays (needs the runtime that deno compile fetches)",
  ignore: !await canCompile(),
  fn: async () => {
    await using folder = await tempFolder();
    await runTask(manifest.tasks.compile.command, folder.path);
    await assertRelays({ program: `${folder.path}/posthouse`, folder: folder.path });
  },
});

/** Whether the runtime for executables is there or can be fetched, which not every network lets. */
async function canCompile(): Promise<boolean> {
  await using folder = await tempFolder();
  await Deno.writeTextFile(`${folder.path}/empty.js`, "");
  const args = [
    "compile",
    "--no-config",
    `--output=${folder.path}/empty`,
    `${folder.path}/empty.js`,
  ];
  return (await runPeer(Deno.execPath(), { args, cwd: folder.path })).code === 0;
}
