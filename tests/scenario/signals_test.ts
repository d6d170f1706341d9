import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { relayConfig, startRelay } from "../support/relay_process.ts";
import { assertOnlyTraceAdded, sampleMessage } from "../support/sample_messages.ts";

const encoder = new TextEncoder();
const MESSAGE = sampleMessage({ lines: ["first half", "second half"] });
const SPLIT_AT = MESSAGE.length - 20;

Deno.test("signals: SIGTERM lets a session end its message and leaves nothing claimed", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  const options = { folder: folder.path, nextHopPort: sink.port };
  {
    await using relay = await startRelay(options);
    using busy = await PlainClient.greet(relay.port);
    using idle = await PlainClient.greet(relay.port);
    await busy.command("MAIL FROM:<a@source.test>");
    await busy.command("RCPT TO:<b@sink.test>");
    assertEquals((await busy.command("DATA")).code, 354);
    await busy.write(MESSAGE.subarray(0, SPLIT_AT));
    relay.signal("SIGTERM");
    assertEquals((await idle.readReply()).code, 421);
    await assertRejects(() => PlainClient.greet(relay.port));
    await busy.write(MESSAGE.subarray(SPLIT_AT));
    await busy.write(encoder.encode(".\r\n"));
    assertEquals((await busy.readReply()).code, 250);
    assertEquals((await busy.readReply()).code, 421);
    const { code } = await relay.ended;
    assertEquals(code, 0, relay.output());
  }
  // Whether it went out before the stop or not: a claim left behind would hold it for minutes.
  await using _again = await startRelay(options);
  await sink.waitForMessages(1, { timeoutMs: 10_000 });
  assertOnlyTraceAdded({ received: sink.messages[0]?.data ?? new Uint8Array(), sent: MESSAGE });
});

Deno.test("signals: SIGTERM ends attempts under way and their mail goes out later", async () => {
  await using folder = await tempFolder();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr;
  {
    await using relay = await startRelay({
      folder: folder.path,
      nextHopPort: port,
      settings: `[queue]\ndrain_timeout = "1s"`,
    });
    using client = await PlainClient.greet(relay.port);
    const to = ["b@sink.test"];
    const { reply } = await client.send({ from: "a@source.test", to, data: MESSAGE });
    assertEquals(reply.code, 250);
    using attempt = await silent.accept(); // connected, and never greeted
    const { code } = await relay.stop();
    assertEquals(code, 0, relay.output());
    assertEquals(await attempt.read(new Uint8Array(1)), null);
  }
  silent.close();
  await using sink = startRecordingSink({ port });
  await using _again = await startRelay({ folder: folder.path, nextHopPort: port });
  await sink.waitForMessages(1, { timeoutMs: 10_000 });
  assertEquals(sink.messages.length, 1);
});

Deno.test("signals: SIGHUP takes a new config and drops no session", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  const options = { folder: folder.path, nextHopPort: sink.port };
  await using relay = await startRelay(options);
  using before = await PlainClient.greet(relay.port);
  await before.command("MAIL FROM:<a@source.test>");
  await writeConfig(relayConfig({
    ...options,
    settings: `[limits]\nmessage_size = "1MiB"`,
  }));
  relay.signal("SIGHUP");
  await relay.waitForEvent("reloaded");
  using after = await PlainClient.connect(relay.port);
  const hello = await after.command("EHLO client.test");
  assert(hello.lines.includes(`SIZE ${1024 * 1024}`), hello.lines.join("\n"));
  assertEquals((await before.command("RCPT TO:<b@sink.test>")).code, 250);

  async function writeConfig(text: string): Promise<void> {
    await Deno.writeTextFile(`${folder.path}/posthouse.toml`, text);
  }
});

Deno.test("signals: SIGHUP with a wrong config keeps the old one and says why", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
  await Deno.writeTextFile(`${folder.path}/posthouse.toml`, `hostnam = "relay.test"\n`);
  relay.signal("SIGHUP");
  await relay.waitForEvent("trouble");
  assertMatch(relay.output(), /hostnam\b/);
  using client = await PlainClient.greet(relay.port);
  const to = ["b@sink.test"];
  const { reply } = await client.send({ from: "a@source.test", to, data: MESSAGE });
  assertEquals(reply.code, 250);
  await sink.waitForMessages(1);
});
