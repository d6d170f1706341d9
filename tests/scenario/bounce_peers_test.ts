import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PlainClient } from "../support/plain_client.ts";
import { canRunPostfix, startPostfix } from "../support/postfix.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";
import { canRunUnpacked, startUnpacked } from "../support/unpacked_peers.ts";

/** A server that takes every message, and writes a bounce when the next one refuses it. */
interface Peer {
  readonly name: string;
  readonly canRun: boolean;
  readonly start: (nextHopPort: number) => Promise<AsyncDisposable & { readonly port: number }>;
}

const PEERS: readonly Peer[] = [
  {
    name: "Postfix",
    canRun: canRunPostfix(),
    start: (nextHopPort) => startPostfix({ nextHopPort }),
  },
  {
    name: "Exim",
    canRun: canRunUnpacked("exim"),
    start: (nextHopPort) => startUnpacked("exim", { nextHopPort }),
  },
  {
    name: "OpenSMTPD",
    canRun: canRunUnpacked("opensmtpd"),
    start: (nextHopPort) => startUnpacked("opensmtpd", { nextHopPort }),
  },
];

const SAID = "550 5.1.1 <gone@dest.test> No such user here";
const DATA = sampleMessage({ subject: "there and back", lines: ["text"] });

for (const { name, canRun, start } of PEERS) {
  Deno.test({
    name: `bounces: one that a real ${name} writes suppresses its recipient (needs it, as root)`,
    ignore: !canRun,
    fn: async () => {
      await using sink = startRecordingSink({
        judgeRecipient: (address) => address === "gone@dest.test" ? SAID : null,
      });
      await using server = await start(sink.port);
      await using running = await startInProcessRelay({
        toml: `
          transports.out = { type = "smarthost", hosts = ["127.0.0.1:${server.port}"] }
          bounces = { domains = ["bounces.test"], key = { env = "KEY" }, forward = false }
        `,
        env: { KEY: "a key that nobody guesses" },
      });
      using client = await PlainClient.greet(running.smtpPort);
      const message = { from: "ada@source.test", to: ["there@dest.test", "gone@dest.test"] };
      assertEquals((await client.send({ ...message, data: DATA })).reply.code, 250);
      const isBounce = (to: readonly string[]) => to[0]?.endsWith("@bounces.test") === true;
      await sink.waitUntil(() => sink.messages.some(({ recipients }) => isBounce(recipients)));
      const bounce = sink.messages.find(({ recipients }) => isBounce(recipients));
      assert(bounce !== undefined);
      assertEquals(bounce.reversePath, "");
      const { recipients: to, data } = bounce;
      assertEquals((await client.send({ from: "", to, data })).reply.code, 250);
      const feedback = await running.waitFor(({ type }) => type === "feedback");
      assert(feedback.type === "feedback");
      assertEquals([feedback.kind, feedback.recipient], ["bounced", "gone@dest.test"]);
      assertStringIncludes(feedback.reason, "No such user here");
      const { reply } = await client.send({ ...message, to: ["gone@dest.test"], data: DATA });
      assertEquals([reply.code, reply.lines[0]?.slice(0, 5)], [550, "5.7.1"]);
    },
  });
}
