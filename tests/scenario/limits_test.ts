import { assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { type RelayProcess, startRelay } from "../support/relay_process.ts";
import { startScriptedPeer } from "../support/scripted_peer.ts";

const DATA = encodeText("Subject: limits\r\n\r\nHello\r\n");
const CAPPED = `[[shaping]]
name = "cap"
domain = ["capped.example"]
messages_per_day = 10
`;

async function send(relay: RelayProcess, to: string): Promise<void> {
  using client = await PlainClient.greet(relay.port);
  await client.send({ from: "app@relay.test", to: [to], data: DATA });
}

Deno.test("limits: a day's count outlives reloads and restarts", async () => {
  await using folder = await tempFolder();
  await using peer = startScriptedPeer();
  const options = { folder: folder.path, nextHopPort: peer.port };
  const path = `${folder.path}/posthouse.toml`;
  {
    await using relay = await startRelay({ ...options, settings: CAPPED });
    await send(relay, "first@capped.example");
    await relay.waitForEvent("delivered");
    const config = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, config.replace("_day = 10", "_day = 12"));
    relay.signal("SIGHUP");
    await relay.waitForEvent("reloaded");
    await send(relay, "second@capped.example");
    await send(relay, "third@free.example");
    await relay.waitForEvent("delivered", 2);
    await relay.stop();
  }
  await using relay = await startRelay({ ...options, settings: CAPPED });
  await send(relay, "fourth@capped.example");
  await send(relay, "fifth@free.example");
  await relay.waitForEvent("delivered");
  await relay.stop();
  const reached = peer.messages.map(({ recipients }) => recipients.join());
  assertEquals(reached.map((line) => /<(\w+)@/.exec(line)?.[1]), ["first", "third", "fifth"]);
});
