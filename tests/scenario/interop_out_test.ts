import { assert, assertEquals } from "@std/assert";
import { startCountingSink } from "../support/load.ts";
import { havePeer, runPeer, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { canRunPostfix, startPostfix } from "../support/postfix.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { assertOnlyTraceAdded, AWKWARD_MESSAGES } from "../support/sample_messages.ts";

/** Sends every awkward message, each to a recipient of its own number. */
async function sendAwkward(port: number): Promise<void> {
  using client = await PlainClient.greet(port);
  for (const [index, [name, data]] of Object.entries(AWKWARD_MESSAGES).entries()) {
    const { reply } = await client.send({
      from: "sender@source.test",
      to: [`user${index}@sink.test`],
      data,
    });
    assertEquals(reply.code, 250, `${name}: ${reply.lines.join(" ")}`);
  }
}

/** Asserts that every awkward message came, behind `hops` trace fields, and nothing else. */
function assertAwkwardReceived(
  received: readonly { readonly recipients: readonly string[]; readonly data: Uint8Array }[],
  { hops }: { hops: number },
): void {
  const sent = Object.entries(AWKWARD_MESSAGES);
  assertEquals(received.length, sent.length);
  for (const [index, [name, data]] of sent.entries()) {
    const message = received.find(({ recipients }) => recipients[0] === `user${index}@sink.test`);
    assert(message !== undefined, `${name} did not come`);
    assertOnlyTraceAdded({ received: message.data, sent: data, hops });
  }
}

Deno.test("interop out: octets leave as they came, but for one trace field", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
  await sendAwkward(relay.port);
  await sink.waitForMessages(Object.keys(AWKWARD_MESSAGES).length);
  assertAwkwardReceived(sink.messages, { hops: 1 });
});

Deno.test("interop out: octets survive a next hop without extensions", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink({ extensions: ["8BITMIME"] });
  await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
  await sendAwkward(relay.port);
  await sink.waitForMessages(Object.keys(AWKWARD_MESSAGES).length);
  assertAwkwardReceived(sink.messages, { hops: 1 });
});

Deno.test({
  name: "interop out: a crowd of messages into smtp-sink (needs smtp-source, smtp-sink)",
  ignore: !havePeer("smtp-sink") || !havePeer("smtp-source"),
  fn: async () => {
    await using folder = await tempFolder();
    await using sink = await startCountingSink();
    await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
    const { code, stderr } = await runPeer("smtp-source", {
      args: ["-d", "-s", "10", "-m", "1000", "-l", "4096", `127.0.0.1:${relay.port}`],
    });
    assertEquals(code, 0, stderr);
    await sink.waitForMessages(1000);
  },
});

Deno.test({
  name: "interop out: through a real Postfix (needs postfix as root)",
  ignore: !canRunPostfix(),
  fn: async () => {
    await using folder = await tempFolder();
    await using sink = startRecordingSink();
    // By default it completes the header section of mail from its own host.
    const settings = { local_header_rewrite_clients: "" };
    await using postfix = await startPostfix({ nextHopPort: sink.port, settings });
    await using relay = await startRelay({ folder: folder.path, nextHopPort: postfix.port });
    await sendAwkward(relay.port);
    await sink.waitForMessages(Object.keys(AWKWARD_MESSAGES).length);
    assertAwkwardReceived(sink.messages, { hops: 2 });
  },
});

Deno.test("interop out: refusals and deferrals are for the recipient that got them", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink({
    judgeRecipient: (address, seen) => {
      if (address === "none@sink.test") return "550 5.1.1 No such user";
      return address === "later@sink.test" && seen === 0 ? "451 4.7.1 Greylisted" : null;
    },
  });
  await using relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    settings: `[queue]\nretry = ["1s"]`,
  });
  using client = await PlainClient.greet(relay.port);
  const { reply } = await client.send({
    from: "sender@source.test",
    to: ["now@sink.test", "later@sink.test", "none@sink.test"],
    data: AWKWARD_MESSAGES["8-bit text"] ?? new Uint8Array(),
  });
  assertEquals(reply.code, 250);
  await sink.waitForMessages(3);
  const received = sink.messages.map(({ reversePath, recipients }) => ({
    reversePath,
    recipients,
  }));
  assertEquals(received.toSorted((left, right) => order(left) < order(right) ? -1 : 1), [
    { reversePath: "", recipients: ["sender@source.test"] }, // the notification
    { reversePath: "sender@source.test", recipients: ["later@sink.test"] },
    { reversePath: "sender@source.test", recipients: ["now@sink.test"] },
  ]);
});

function order({ recipients }: { readonly recipients: readonly string[] }): string {
  return recipients[0] === "sender@source.test" ? "" : recipients[0] ?? "";
}
