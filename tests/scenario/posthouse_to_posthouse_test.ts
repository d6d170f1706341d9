import { assert, assertEquals, assertMatch } from "@std/assert";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const KEY = "a-key-of-enough-characters";

Deno.test("one Posthouse hands mail to another, which delivers it", async () => {
  await using sink = startRecordingSink();
  await using inner = await startInProcessRelay({
    toml: `
      hostname = "inner.test"
      admin.open_on_loopback = false
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      [[admin.tokens]]
      name = "edge"
      role = "sender"
      token = "${KEY}"
    `,
  });
  await using edge = await startInProcessRelay({
    toml: `
      transports.inner = { type = "posthouse", url = "${inner.origin}", api_key = "${KEY}" }
    `,
  });
  const data = sampleMessage({ subject: "edge", lines: [".dots", "Grüße"] });
  using client = await PlainClient.greet(edge.smtpPort);
  await client.send({ from: "ada@source.test", to: ["bob@dest.test"], data });
  await sink.waitForMessages(1);
  const [message] = sink.messages;
  assert(message !== undefined);
  assertEquals([message.reversePath, message.recipients], ["ada@source.test", ["bob@dest.test"]]);
  assertEquals(message.data.slice(-data.length), data);
  const trace = new TextDecoder().decode(message.data.slice(0, -data.length));
  assertEquals(trace.match(/^Received: /gm)?.length, 2);
  assertMatch(trace, /^Received: from \[127\.0\.0\.1\] .*\r\n\tby inner\.test with HTTP\r\n/);
  const delivered = await edge.waitFor(({ type }) => type === "delivered");
  assert(delivered.type === "delivered" && delivered.transport === "inner");
});
