import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { type PeerResult, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import {
  relayConfig,
  type RelayOptions,
  startPosthouse,
  startRelay,
} from "../support/relay_process.ts";
import { assertOnlyTraceAdded, messageOfSize } from "../support/sample_messages.ts";
import { canMount, mountTmpfs } from "../support/tmpfs.ts";

const MIB = 1024 * 1024;
const CAN_MOUNT = canMount();

/** Runs `posthouse serve` where it cannot start. */
async function failToServe(options: RelayOptions): Promise<PeerResult> {
  const path = `${options.folder}/posthouse.toml`;
  await Deno.writeTextFile(path, relayConfig(options));
  await using peer = startPosthouse(["serve", "--config", path], { cwd: options.folder });
  return await peer.ended;
}

/** A message for the operator, not a stack trace. */
function assertClearFailure(result: PeerResult, pattern: RegExp): void {
  assertEquals(result.code, 1, result.stdout + result.stderr);
  assertMatch(result.stdout + result.stderr, pattern);
  assertNotMatch(result.stdout + result.stderr, /Uncaught|^\s+at .*\.ts:\d+/m);
}

Deno.test("trouble: a port in use is named", async () => {
  await using folder = await tempFolder();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const result = await failToServe({ folder: folder.path, port });
  assertClearFailure(
    result,
    new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: another program`),
  );
});

Deno.test("trouble: a data folder that cannot be made is named", async () => {
  await using folder = await tempFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  const dataFolder = `${folder.path}/file/data`;
  assertClearFailure(
    await failToServe({ folder: folder.path, dataFolder }),
    new RegExp(RegExp.escape(dataFolder)),
  );
});

Deno.test({
  name: "trouble: a read-only data folder is named (needs the right to mount)",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using folder = await tempFolder();
    await using disk = await mountTmpfs({ sizeMib: 8 });
    await disk.makeReadOnly();
    assertClearFailure(
      await failToServe({ folder: folder.path, dataFolder: disk.path }),
      new RegExp(`${RegExp.escape(disk.path)}.*read-only`, "i"),
    );
  },
});

Deno.test("trouble: a queue that a newer version wrote is left alone", async () => {
  await using folder = await tempFolder();
  {
    await using relay = await startRelay({ folder: folder.path });
    await relay.stop();
  }
  const path = await databaseIn(`${folder.path}/data`);
  setVersion(path, 9999);
  assertClearFailure(await failToServe({ folder: folder.path }), /version 9999/);
  assertEquals(versionOf(path), 9999);
});

Deno.test("trouble: a queue that is damaged is reported", async () => {
  await using folder = await tempFolder();
  {
    await using relay = await startRelay({ folder: folder.path });
    await relay.stop();
  }
  const path = await databaseIn(`${folder.path}/data`);
  await Deno.writeTextFile(path, "this is no database".repeat(1000));
  assertClearFailure(await failToServe({ folder: folder.path }), /not a database|damaged|corrupt/i);
});

Deno.test({
  name: "trouble: a full disk refuses mail for a while and loses none (needs the right to mount)",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using folder = await tempFolder();
    await using disk = await mountTmpfs({ sizeMib: 32 });
    let isOpen = false;
    await using sink = startRecordingSink({
      judgeRecipient: () => isOpen ? null : "451 4.3.0 Not now",
    });
    await using relay = await startRelay({
      folder: folder.path,
      dataFolder: disk.path,
      nextHopPort: sink.port,
      settings: `[queue]\nretry = ["1s"]\n[delivery]\ndown = "1s"\nmax_down = "1s"`,
    });
    await Deno.writeFile(`${disk.path}/filler`, new Uint8Array(20 * MIB));
    using client = await PlainClient.greet(relay.port);
    const accepted = await fill(client);
    assertEquals((await client.command("NOOP")).code, 250);
    isOpen = true;
    await Deno.remove(`${disk.path}/filler`);
    accepted.push(await sendUntilAccepted(relay.port));
    await sink.waitForMessages(accepted.length);
    for (const { recipient, data } of accepted) {
      const received = sink.messages.filter(({ recipients }) => recipients[0] === recipient);
      assertEquals(received.length, 1, recipient);
      assertOnlyTraceAdded({ received: received[0]?.data ?? new Uint8Array(), sent: data });
    }
  },
});

interface Sent {
  readonly recipient: string;
  readonly data: Uint8Array;
}

/** Sends large and small messages until the disk is full; returns those that got 250. */
async function fill(client: PlainClient): Promise<Sent[]> {
  const accepted: Sent[] = [];
  for (let number = 0; number < 200; number++) {
    const data = messageOfSize(number % 2 === 0 ? MIB : 100_000, `fill-${number}`);
    const recipient = `user${number}@sink.test`;
    const { reply } = await client.send({ from: "a@source.test", to: [recipient], data });
    if (reply.code !== 250) {
      // RFC 5321 4.3.2: 452 is insufficient system storage.
      assertEquals(reply.code, 452, reply.lines.join(" "));
      assertMatch(reply.lines[0] ?? "", /^4\.3\.1 /);
      return accepted;
    }
    accepted.push({ recipient, data });
  }
  throw new Error("the disk was never full");
}

/** For a moment after a failure the relay refuses at MAIL, so this comes back as clients do. */
async function sendUntilAccepted(port: number): Promise<Sent> {
  const data = messageOfSize(1000, "after");
  const recipient = "after@sink.test";
  for (let attempt = 0; attempt < 100; attempt++) {
    using client = await PlainClient.greet(port);
    const { reply } = await client.send({ from: "a@source.test", to: [recipient], data });
    if (reply.code === 250) return { recipient, data };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the relay did not recover");
}

async function databaseIn(folder: string): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (name.endsWith(".db") || name.endsWith(".sqlite")) return path;
  }
  throw new Error(`no database in ${folder}`);
}

function setVersion(path: string, version: number): void {
  using database = new DatabaseSync(path);
  database.exec(`PRAGMA user_version = ${version}`);
}

function versionOf(path: string): unknown {
  using database = new DatabaseSync(path);
  const row = database.prepare("PRAGMA user_version").get();
  assert(row !== undefined);
  return row.user_version;
}
