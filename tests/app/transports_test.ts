import { assert, assertEquals, assertRejects } from "@std/assert";
import { startScriptedPeer } from "../support/scripted_peer.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

function smarthost(name: string, port: number): string {
  return `[transports.${name}]\ntype = "smarthost"\nhosts = ["127.0.0.1:${port}"]\ntls = "none"\n`;
}

Deno.test("a transport that cannot be made leaves all the others as they were", async () => {
  await using peer = startScriptedPeer();
  await using running = await startInProcessRelay({ toml: smarthost("out", peer.port) });
  const { out } = running.config.transports;
  assert(out !== undefined);
  const broken = new Proxy({ ...out }, {
    get(target, name) {
      if (name === "hosts") throw new Error("made to fail");
      return Reflect.get(target, name);
    },
  });
  const transports = { added: { ...out }, broken };
  await assertRejects(
    () => running.relay.reload({ ...running.config, transports }),
    Error,
    "made to fail",
  );
  using client = await PlainClient.greet(running.smtpPort);
  const data = sampleMessage({ subject: "still", lines: ["text"] });
  await client.send({ from: "ada@source.test", to: ["bob@dest.test"], data });
  const event = await running.waitFor(({ type }) => type === "delivered");
  assertEquals(event.type === "delivered" && event.transport, "out");
});

Deno.test("at a stop attempts under way have all the time, and none begins that would have none", async () => {
  const answer = Promise.withResolvers<void>();
  await using peer = startScriptedPeer({
    answers: { ".": [answer.promise, "250 2.0.0 Stored\r\n"] },
  });
  await using running = await startInProcessRelay({ toml: smarthost("out", peer.port) });
  const data = sampleMessage({ subject: "late", lines: ["text"] });
  using client = await PlainClient.greet(running.smtpPort);
  await client.send({ from: "ada@source.test", to: ["bob@dest.test"], data });
  await peer.waitForLine("DATA");
  using slow = await PlainClient.greet(running.smtpPort);
  for (const line of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@other.test>", "DATA"]) {
    await slow.command(line);
  }
  const stopped = running.relay.stop();
  await slow.command("Subject: x\r\n\r\ntext\r\n.");
  answer.resolve();
  await running.waitFor(({ type }) => type === "delivered");
  await stopped;
  assertEquals(peer.lines.filter((line) => line.startsWith("RCPT")).length, 1);
});
