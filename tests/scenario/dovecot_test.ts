import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { canRunDovecot, type Dovecot, startDovecot } from "../support/dovecot.ts";
import { havePeer, runPeer, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRelay } from "../support/relay_process.ts";
import {
  assertOnlyTraceAdded,
  AWKWARD_MESSAGES,
  sampleMessage,
} from "../support/sample_messages.ts";

const NAMES = Object.keys(AWKWARD_MESSAGES);
const PASSWORD = "secret";
const CAN_RUN = canRunDovecot() && havePeer("curl");

/** Each awkward message has a user of its own. */
const USERS = Object.fromEntries(
  [...NAMES.map((_, index) => `user${index}`), "sender"].map((user) => [user, PASSWORD]),
);

/** The relay's table for a transport to `server`. */
function mailboxes(server: string): string {
  return `[transports.mailboxes]\ntype = "lmtp"\nservers = ["${server}"]\n`;
}

/** Fetches the only message of a user as a person's program does. */
async function fetchMail(
  { pop3Port }: Dovecot,
  { user, folder }: { user: string; folder: string },
): Promise<Uint8Array> {
  const path = `${folder}/${user}.eml`;
  const { code, stderr } = await runPeer("curl", {
    args: [
      "--silent",
      "--show-error",
      "--user",
      `${user}:${PASSWORD}`,
      "--output",
      path,
      `pop3://127.0.0.1:${pop3Port}/1`,
    ],
  });
  assertEquals(code, 0, `${user}: ${stderr}`);
  return await Deno.readFile(path);
}

/** Cuts off what Dovecot put in front: everything before the relay's own trace field. */
function withoutDovecotFields(message: Uint8Array): Uint8Array {
  const text = Buffer.from(message).toString("latin1");
  const relayed = text.search(/^Received: from [^\r]*\r\n\tby relay\.test/m);
  assert(relayed > 0, text.slice(0, 1000));
  assertMatch(text.slice(0, relayed), /^Return-Path: <sender@source\.test>\r\nDelivered-To: /);
  return message.subarray(relayed);
}

for (
  const [place, serverOf] of [
    ["a TCP port", ({ lmtpPort }: Dovecot) => `127.0.0.1:${lmtpPort}`],
    ["a Unix socket", ({ lmtpSocket }: Dovecot) => `unix:${lmtpSocket}`],
  ] as const
) {
  Deno.test({
    name: `mailboxes: in by SMTP, on by LMTP over ${place}, out by POP3 (needs dovecot, curl)`,
    ignore: !CAN_RUN,
    fn: async () => {
      await using folder = await tempFolder();
      await using dovecot = await startDovecot({ users: USERS });
      await using relay = await startRelay({
        folder: folder.path,
        settings: mailboxes(serverOf(dovecot)),
      });
      using client = await PlainClient.greet(relay.port);
      for (const [index, data] of Object.values(AWKWARD_MESSAGES).entries()) {
        const to = [`user${index}@sink.test`];
        const { reply } = await client.send({ from: "sender@source.test", to, data });
        assertEquals(reply.code, 250, reply.lines.join(" "));
      }
      await relay.waitForEvent("delivered", NAMES.length);
      for (const [index, sent] of Object.values(AWKWARD_MESSAGES).entries()) {
        const fetched = await fetchMail(dovecot, { user: `user${index}`, folder: folder.path });
        assertOnlyTraceAdded({ received: withoutDovecotFields(fetched), sent });
      }
    },
  });
}

Deno.test({
  name: "mailboxes: each recipient's answer counts for that one alone (needs dovecot, curl)",
  ignore: !CAN_RUN,
  fn: async () => {
    await using folder = await tempFolder();
    await using dovecot = await startDovecot({ users: USERS });
    await using relay = await startRelay({
      folder: folder.path,
      settings: mailboxes(`unix:${dovecot.lmtpSocket}`),
    });
    using client = await PlainClient.greet(relay.port);
    await client.send({
      from: "sender@source.test",
      to: ["user0@sink.test", "nobody@sink.test", "user1@sink.test"],
      data: sampleMessage(),
    });
    await relay.waitForEvent("delivered", 3); // the third is the notification
    for (const user of ["user0", "user1"]) {
      await fetchMail(dovecot, { user, folder: folder.path });
    }
    const notice = await fetchMail(dovecot, { user: "sender", folder: folder.path });
    assertMatch(
      Buffer.from(notice).toString("latin1"),
      /Final-Recipient: rfc822; ?nobody@sink\.test\r\nAction: failed\r\nStatus: 5\.1\.1/,
    );
  },
});
