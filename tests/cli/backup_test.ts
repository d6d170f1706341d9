import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openSqliteStore } from "../../src/queue/sqlite/store.ts";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startTestRelay } from "./relay/running_relay.ts";
import { richMessage, type TestQueue, testQueue } from "./queue/queue_setup.ts";
import { type Finished, run } from "./support.ts";
import { symbolicLink } from "../support/symbolic_link.ts";

const ID = "1M84EQRXE3K2ZW60";
const SECOND = "1M84EQRXE3K2ZW61";

async function filledQueue(): Promise<TestQueue> {
  const queue = await testQueue();
  await queue.open(async (store) => {
    await store.put(richMessage(ID));
    const spool = store.spool();
    await spool.write(new TextEncoder().encode("Subject: large\r\n\r\nlarge\r\n"));
    const name = await spool.finish();
    await store.put({ ...richMessage(SECOND), place: { kind: "spool", name } });
  });
  await Deno.writeTextFile(`${queue.dataDir}/pauses.json`, `{"paused":true}`);
  await Deno.mkdir(`${queue.dataDir}/dkim`);
  await Deno.writeTextFile(`${queue.dataDir}/dkim/key.pem`, "secret");
  return queue;
}

function backup({ dataDir }: TestQueue, to: string): Promise<Finished> {
  return run(["backup", to, "--data-dir", dataDir]);
}

Deno.test("a backup is restored as it was", async () => {
  await using queue = await filledQueue();
  const to = `${queue.folder}/backup`;
  const made = await backup(queue, to);
  assertMatch(
    made.out,
    /^Copied 2 messages, 2 of them live, to .*: 4 files, [\d.]+ KiB, verified\.\n$/,
  );
  for (const name of ["queue.db", "manifest.json", "dkim/key.pem"]) {
    assertEquals((Deno.statSync(`${to}/${name}`).mode ?? 0) & 0o777, 0o600, name);
  }
  const check = await run(["restore", to, "--check"]);
  assertMatch(check.out, /^The backup of .* is intact: 2 messages, 2 of them live, 4 files\.\n$/);
  const dataDir = `${queue.folder}/restored`;
  const { code, out, err } = await run(["restore", to, "--data-dir", dataDir]);
  assertEquals([code, err], [0, ""]);
  assertMatch(out, /^Restored 2 messages, 2 of them live, as of .*\.\nMessages delivered since/);
  await using restored = await openSqliteStore({ folder: dataDir });
  await using original = await openSqliteStore({ folder: queue.dataDir });
  for (const id of [ID, SECOND]) {
    assertEquals(await restored.get(id), await original.get(id));
    const [one, other] = await Promise.all([restored.body(id), original.body(id)]);
    assertEquals(await Array.fromAsync(one ?? []), await Array.fromAsync(other ?? []));
  }
  assertEquals(await Deno.readTextFile(`${dataDir}/dkim/key.pem`), "secret");
  assertEquals(await Deno.readTextFile(`${dataDir}/pauses.json`), `{"paused":true}`);
});

Deno.test("a restore can hold all mail, and puts aside what was there only when told to", async () => {
  await using queue = await filledQueue();
  const to = `${queue.folder}/backup`;
  await backup(queue, to);
  const args = ["restore", to, "--data-dir", queue.dataDir];
  const refused = await run(args);
  assertEquals(refused.code, 1);
  assertMatch(
    refused.err,
    /is not empty\. Nothing was changed\. Use --force to move its content aside\.\n$/,
  );
  const { code, out } = await run([...args, "--force", "--hold"]);
  assertEquals(code, 0);
  const [, aside = ""] = /The previous content is in (before-restore-\S+) in/.exec(out) ?? [];
  assert(
    [...Deno.readDirSync(`${queue.dataDir}/${aside}`)].some(({ name }) => name === "queue.db"),
  );
  assertStringIncludes(out, "Held 2 messages. Release them with posthouse queue release --all.\n");
  for (const { recipients } of await queue.messages()) {
    assert(recipients.every(({ state }) => state === "held"));
  }
});

Deno.test("a damaged backup is refused before anything is touched", async () => {
  await using queue = await filledQueue();
  const to = `${queue.folder}/backup`;
  await backup(queue, to);
  await Deno.writeTextFile(`${to}/pauses.json`, `{"paused":null}`);
  await Deno.remove(`${to}/dkim/key.pem`);
  const dataDir = `${queue.folder}/restored`;
  const { code, err } = await run(["restore", to, "--data-dir", dataDir]);
  assertEquals(code, 1);
  assertMatch(err, /^pauses\.json: its octets have changed$/m);
  assertMatch(err, /^dkim\/key\.pem: it is missing$/m);
  assertMatch(err, /^The backup is unusable\. Nothing was changed\.$/m);
  assertEquals([...Deno.readDirSync(queue.folder)].map(({ name }) => name).sort(), [
    "backup",
    "data",
  ]);
  await Deno.remove(`${to}/manifest.json`);
  assertMatch((await run(["restore", to, "--check"])).err, /not a complete backup/);
});

Deno.test("links in a backup bring in no file of somebody else", async () => {
  await using queue = await filledQueue();
  const to = `${queue.folder}/backup`;
  await backup(queue, to);
  await Deno.rename(`${to}/pauses.json`, `${queue.folder}/secret`);
  await symbolicLink(`${queue.folder}/secret`, `${to}/pauses.json`);
  const { code, err } = await run(["restore", to, "--data-dir", `${queue.folder}/restored`]);
  assertEquals(code, 1);
  assertMatch(err, /^pauses\.json: it is a link or not a file$/m);
});

Deno.test("a manifest cannot name files elsewhere", async () => {
  await using queue = await filledQueue();
  const to = `${queue.folder}/backup`;
  await backup(queue, to);
  const manifest = await Deno.readTextFile(`${to}/manifest.json`);
  for (const path of ["../evil", "/etc/evil", "a/../../evil"]) {
    await Deno.writeTextFile(`${to}/manifest.json`, manifest.replace("pauses.json", path));
    assertMatch((await run(["restore", to, "--check"])).err, /^manifest\.json in .* is damaged$/m);
  }
});

Deno.test("a backup goes into an empty folder and comes from a queue", async () => {
  await using queue = await filledQueue();
  assertEquals(
    (await backup(queue, queue.folder)).err,
    `${queue.folder} is not empty; choose an empty or new folder.\n`,
  );
  const inside = await backup(queue, `${queue.dataDir}/x`);
  assertMatch(inside.err, /is inside the folder to copy; choose another one\.\n$/);
  const none = await run(["backup", `${queue.folder}/b`, "--data-dir", `${queue.folder}/none`]);
  assertMatch(none.err, /^There is no queue in /);
  assertEquals((await run(["backup"])).code, 2);
  assertEquals((await run(["restore"])).code, 2);
});

Deno.test("a running relay's data folder is not restored into", async () => {
  await using relay = await startTestRelay();
  const to = `${relay.folder}/backup`;
  const dataDir = `${relay.folder}/data`;
  await relay.send("you@example.org");
  assertEquals((await run(["backup", to, "--data-dir", dataDir])).code, 0);
  const copied = [...Deno.readDirSync(to)].map(({ name }) => name);
  assert(!copied.includes("local.key"), "the key of one start is of no use to another");
  const { code, err } = await run(["restore", to, "--data-dir", dataDir, "--force"]);
  assertEquals(code, 1);
  assertMatch(err, /another relay works on this folder/);
});

Deno.test("everything accepted before a backup is in it, though mail comes and goes", async () => {
  await using relay = await startTestRelay("queue.spool_threshold = 1024");
  await using folder = await tempFolder();
  const port = relay.smtpPort;
  const accepted: string[] = [];
  let isOver = false;
  let goal = { count: Infinity, reached: () => {} };
  const send = async (size: number): Promise<void> => {
    using client = await PlainClient.greet(port);
    for (let count = 0; !isOver; count++) {
      const data = new TextEncoder().encode(
        `Subject: ${count}\r\n\r\n${"x".repeat(70)}\r\n`.padEnd(size, "y") + "\r\n",
      );
      const { reply } = await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
      assertEquals(reply.code, 250, reply.lines.join(" "));
      accepted.push(/[0-9A-Z]{16}/.exec(reply.lines.join(" "))?.[0] ?? "");
      if (accepted.length >= goal.count) goal.reached();
    }
  };
  const senders = Promise.all([send(200), send(200), send(4000), send(9000)]);
  try {
    for (let round = 0; round < 3; round++) {
      const more = Promise.withResolvers<void>();
      goal = { count: accepted.length + 40, reached: more.resolve };
      await more.promise;
      const before = [...accepted];
      const to = `${folder.path}/backup${round}`;
      const args = ["backup", to, "--data-dir", `${relay.folder}/data`];
      assertEquals((await run(args)).err, "");
      const restored = `${folder.path}/restored${round}`;
      assertEquals((await run(["restore", to, "--data-dir", restored])).err, "");
      await using store = await openSqliteStore({ folder: restored });
      for (const id of before) {
        const detail = await store.get(id);
        assert(detail !== null, `${id} is not in the backup`);
        const isOpen = detail.recipients.some(({ state }) => state === "queued");
        assert(!isOpen || await store.body(id) !== null, `${id} has lost its octets`);
      }
    }
  } finally {
    isOver = true;
    await senders;
  }
  assert(![...Deno.readDirSync(`${relay.folder}/data`)].some(({ name }) => name === ".backup"));
});

Deno.test("octets that messages share are copied once, exported whole and restored", async () => {
  await using queue = await testQueue();
  const text = "\r\nfor everybody\r\n";
  await queue.open(async (store) => {
    const spool = store.spool();
    await spool.write(new TextEncoder().encode(text));
    const name = await spool.finish();
    await store.putAll([ID, SECOND].map((id) => ({
      ...richMessage(id),
      place: { kind: "spool", name, head: new TextEncoder().encode(`Subject: ${id}\r\n`) },
    })));
  });
  const to = `${queue.folder}/backup`;
  assertEquals((await backup(queue, to)).code, 0);
  assertEquals([...Deno.readDirSync(`${to}/spool`)].length, 1);
  assertEquals((await run(["restore", to, "--check"])).code, 0);
  const dataDir = `${queue.folder}/restored`;
  assertEquals((await run(["restore", to, "--data-dir", dataDir])).code, 0);
  const exported = `${queue.folder}/exported`;
  assertEquals((await queue.run(["export", "--all", "--to", exported])).code, 0);
  await using restored = await openSqliteStore({ folder: dataDir });
  for (const id of [ID, SECOND]) {
    const chunks = await Array.fromAsync(await restored.body(id) ?? []);
    const octets = chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
    assertEquals(octets, `Subject: ${id}\r\n${text}`);
  }
  const texts = [...Deno.readDirSync(exported)].map(({ name }) => `${exported}/${name}`)
    .filter((path) => path.endsWith(".eml")).map((path) => Deno.readTextFileSync(path));
  assertEquals(texts.filter((one) => one.endsWith(text)).length, 2);
});
