import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import testManifest from "../deno.json" with { type: "json" };
import { runPeer, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startPosthouse, startRelay } from "../support/relay_process.ts";
import { assertOnlyTraceAdded, sampleMessage } from "../support/sample_messages.ts";

const PROJECT_FOLDER = new URL("../../", import.meta.url).pathname;
const MESSAGE = sampleMessage();

/** What is looked at of `deno.lock`. */
interface Lock {
  readonly workspace: { readonly dependencies: readonly string[] };
  readonly npm: Readonly<Record<string, { readonly dependencies?: readonly string[] }>>;
}

type TaskName = keyof typeof manifest.tasks;

/** Runs a task, after those it depends on, with another output folder, and returns what it printed. */
async function runTask(
  name: TaskName,
  { outputFolder, env = {} }: { outputFolder: string; env?: Readonly<Record<string, string>> },
): Promise<string> {
  const task: { command: string; dependencies?: string[] } = manifest.tasks[name];
  let output = "";
  for (const before of task.dependencies ?? []) {
    output += await runTask(before as TaskName, { outputFolder, env });
  }
  const args = task.command.replaceAll("dist/", `${outputFolder}/`).split(" ").slice(1);
  const result = await runPeer(Deno.execPath(), {
    args,
    cwd: PROJECT_FOLDER,
    env: { NO_COLOR: "1", ...env },
  });
  assertEquals(result.code, 0, result.stderr);
  return output + result.stdout + result.stderr;
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

Deno.test("packaging: tests have the packages of the product, and more of their own", () => {
  const { imports, compilerOptions } = testManifest;
  for (const [name, specifier] of Object.entries(manifest.imports)) {
    assertEquals(imports[name as keyof typeof imports], specifier, name);
  }
  const { types: _, ...options } = compilerOptions;
  const { types: __, ...productOptions } = manifest.compilerOptions;
  assertEquals(options, productOptions);
});

Deno.test("packaging: the lock of the product names no package that only tests use", async () => {
  const lock: Lock = JSON.parse(await Deno.readTextFile(`${PROJECT_FOLDER}/deno.lock`));
  const wanted = new Set(Object.values(manifest.imports).map(packageOf));
  assertEquals(new Set(lock.workspace.dependencies.map(packageOf)), wanted);
  const reached = new Set<string>();
  const packages = lock.npm;
  const reach = (name: string): void => {
    for (const [id, { dependencies = [] }] of Object.entries(packages)) {
      if (reached.has(id) || packageOf(`npm:${id}`) !== name) continue;
      reached.add(id);
      for (const dependency of dependencies) reach(packageOf(`npm:${dependency}`));
    }
  };
  for (const name of wanted) reach(name);
  assertEquals(new Set(Object.keys(packages)), reached);
});

Deno.test("packaging: the bundle relays", async () => {
  await using folder = await tempFolder();
  await runTask("bundle", { outputFolder: folder.path });
  await assertRelays({ program: `${folder.path}/main.js`, folder: folder.path });
});

// The runtime itself stands in for the one that deno compile fetches. What is made does not run,
// but holds what it would hold.
Deno.test("packaging: the executable embeds the program, its worker and its assets", async () => {
  await using folder = await tempFolder();
  const { path } = folder;
  const env = { DENORT_BIN: Deno.execPath() };
  const output = await runTask("compile", { outputFolder: path, env });
  const embedded = output.slice(output.indexOf("Embedded Files"));
  assertEquals(
    [...embedded.matchAll(/[├└]\S* ([\w./*-]+) \(/gu)].map(([, name]) => name),
    ["main.js", "queue/*"],
    embedded,
  );
  const program = await Deno.readTextFile(`${path}/main.js`);
  for (const kind of ["scripts", "styles"]) {
    const folder = `${PROJECT_FOLDER}/src/admin/assets/${kind}`;
    for await (const { name } of Deno.readDir(folder)) {
      const asset = await Deno.readTextFile(`${folder}/${name}`);
      assertStringIncludes(program, /[\w .:;(){}=-]{24,}/.exec(asset)?.[0] ?? name, name);
    }
  }
  assertStringIncludes(program, "uPlot");
  const bytes = (await Deno.stat(`${path}/posthouse`)).size -
    (await Deno.stat(Deno.execPath())).size;
  assert(bytes < 8 * 2 ** 20, `${bytes} octets on top of the runtime`);
});

Deno.test({
  name: "packaging: the executable relays (needs the runtime that deno compile fetches)",
  ignore: !await canCompile(),
  fn: async () => {
    await using folder = await tempFolder();
    await runTask("compile", { outputFolder: folder.path });
    await assertRelays({ program: `${folder.path}/posthouse`, folder: folder.path });
  },
});

/** The name of the package in an npm specifier or in the id of a lock file. */
function packageOf(specifier: string): string {
  const name = /^npm:\/?((?:@[^@/]+\/)?[^@/]+)/.exec(specifier)?.[1];
  assert(name !== undefined, specifier);
  return name;
}

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
