import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { PlainClient } from "../../support/plain_client.ts";
import { startInProcessRelay } from "../../support/relay_in_process.ts";
import { startScriptedPeer } from "../../support/scripted_peer.ts";
import { run } from "../../cli/support.ts";

const SLOW_DOWN = "421 4.7.0 Too many messages, slow down";
const DATA = encodeText("Subject: pace\r\n\r\nHello\r\n");

interface Shown {
  readonly items: readonly {
    readonly shaping: {
      readonly limits: readonly { readonly rule: string; readonly limit: string }[];
      readonly learned: { readonly perMinute: number; readonly reason: string } | null;
    };
  }[];
}

Deno.test("what limits a destination and what it taught is shown wherever it is", async () => {
  await using peer = startScriptedPeer({ answers: { RCPT: SLOW_DOWN } });
  await using relay = await startInProcessRelay({
    toml: `
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${peer.port}"] }
      shaping = [{ name = "calm", domain = ["dest.example"], messages_per_hour = 600 }]
    `,
  });
  using client = await PlainClient.greet(relay.smtpPort);
  await client.send({ from: "app@relay.test", to: ["you@dest.example"], data: DATA });
  await peer.waitForLine("RCPT", 2); // the first answer was learnt from

  const { items: [destination] }: Shown = await (await fetch(`${relay.origin}/api/v1/destinations`))
    .json();
  assertEquals(destination?.shaping.limits, [{ rule: "calm", limit: "600 messages an hour" }]);
  assertEquals(destination?.shaping.learned?.reason, SLOW_DOWN);

  const env = { POSTHOUSE_URL: relay.origin };
  const listed = await run(["destinations", "list"], { env });
  assertMatch(listed.out, /\d+ a minute +slowed down .*: 421 4\.7\.0 Too many messages/);
  const explained = await run(["explain", "you@dest.example"], { env });
  assertMatch(explained.out, /limit: 600 messages an hour, shared \(calm\)/);
  assertMatch(explained.out, /limit: \d+ a minute, after: 421 4\.7\.0 Too many .* \(learned\)/);
  await run(["suppress", "add", "you@dest.example", "--reason", "left"], { env });
  const refused = await run(["explain", "you@dest.example"], { env });
  assertMatch(refused.out, /the recipient is suppressed \(.*left\)/);
  const page = await (await fetch(`${relay.origin}/destinations`)).text();
  assertStringIncludes(page, "Throttled to");
  assertStringIncludes(page, "600 messages an hour");
});
