import { assertEquals } from "@std/assert";
import { freePort } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

Deno.test("delivery.down: the first probe after it really connects, however short it is", async () => {
  const port = freePort();
  await using running = await startInProcessRelay({
    toml: `
      queue.retry = ["1s"]
      delivery = { down = "1s", max_down = "1s" }
      [transports.out]
      type = "smarthost"
      hosts = ["127.0.0.1:${port}"]
    `,
  });
  using client = await PlainClient.greet(running.smtpPort);
  const to = ["user@sink.test"];
  await client.send({ from: "sender@source.test", to, data: sampleMessage() });
  await running.waitFor(({ type }) => type === "deferred");
  await using _sink = startRecordingSink({ port });
  await running.waitFor(({ type }) => type === "delivered");
  assertEquals(running.events.filter(({ type }) => type === "deferred").length, 1);
});
