import { assertEquals, assertMatch } from "@std/assert";
import type { KeyPair } from "../../src/net/conn.ts";
import { testAuthority } from "../support/certificates.ts";
import { canRunDovecot, startDovecot } from "../support/dovecot.ts";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { canRunPostfix } from "../support/postfix.ts";
import {
  type RecordedMessage,
  type RecordingSink,
  startRecordingSink,
} from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { startSecurePostfix } from "../support/secure_postfix.ts";
import {
  assertOnlyTraceAdded,
  AWKWARD_MESSAGES,
  sampleMessage,
} from "../support/sample_messages.ts";
import { canRunUnpacked, startUnpacked, type UnpackedPeer } from "../support/unpacked_peers.ts";

const authority = testAuthority();
const HOST = "127.0.0.1";

/** A server that sends on to a port on this machine, with that certificate. */
type StartServer = (
  nextHopPort: number,
  tls: KeyPair,
) => Promise<AsyncDisposable & { readonly port: number }>;

interface NextHop {
  readonly name: string;
  readonly canRun: boolean;
  readonly start: StartServer;
  /** Sample messages that it does not leave as they are. */
  readonly changes: readonly string[];
}

function unpacked(name: UnpackedPeer): StartServer {
  return (nextHopPort, tls) => startUnpacked(name, { nextHopPort, tls });
}

const NO_BODY = "a header section without a body";

const NEXT_HOPS: readonly NextHop[] = [
  {
    name: "Postfix",
    canRun: canRunPostfix(),
    start: startSecurePostfix,
    changes: [],
  },
  {
    name: "Exim",
    canRun: canRunUnpacked("exim"),
    start: unpacked("exim"),
    changes: [NO_BODY],
  },
];

/** The table of a transport to a port, with a trusted root and these lines. */
function transport(port: number, folder: string, lines: readonly string[]): string {
  return [
    `[transports.out]`,
    `type = "smarthost"`,
    `hosts = ["${HOST}:${port}"]`,
    `tls_ca = { file = "${folder}/root.pem" }`,
    ...lines,
    ``,
  ].join("\n");
}

async function send(port: number, messages: Readonly<Record<string, Uint8Array>>): Promise<void> {
  using client = await PlainClient.greet(port);
  for (const [index, data] of Object.values(messages).entries()) {
    const to = [`user${index}@sink.test`];
    const { reply } = await client.send({ from: "sender@source.test", to, data });
    assertEquals(reply.code, 250, reply.lines.join(" "));
  }
}

/** Sends the awkward messages, those apart that the next hop changes, and compares what comes. */
async function sendAwkward(
  { relay, sink, changes }: {
    relay: { readonly port: number };
    sink: RecordingSink;
    changes: readonly string[];
  },
): Promise<void> {
  const messages = Object.fromEntries(
    Object.entries(AWKWARD_MESSAGES).filter(([name]) => !changes.includes(name)),
  );
  await send(relay.port, messages);
  await sink.waitForMessages(Object.keys(messages).length);
  for (const [index, sent] of Object.values(messages).entries()) {
    assertOnlyTraceAdded({ received: receivedFor(sink.messages, index), sent, hops: 2 });
  }
}

function receivedFor(messages: readonly RecordedMessage[], index: number): Uint8Array {
  const address = `user${index}@sink.test`;
  const found = messages.find(({ recipients }) => recipients[0] === address);
  if (found === undefined) throw new Error(`nothing came for ${address}`);
  return found.data;
}

for (const { name, canRun, start, changes } of NEXT_HOPS) {
  Deno.test({
    name: `next hops: every octet through a real ${name}, in verified TLS (needs it, as root)`,
    ignore: !canRun,
    fn: async () => {
      await using folder = await tempFolder();
      await Deno.writeTextFile(`${folder.path}/root.pem`, authority.certificate);
      await using sink = startRecordingSink();
      await using server = await start(sink.port, authority.issue({ names: ["mail.test"] }));
      await using relay = await startRelay({
        folder: folder.path,
        settings: transport(server.port, folder.path, [
          `tls = "verified"`,
          `tls_names = ["mail.test"]`,
        ]),
      });
      await sendAwkward({ relay, sink, changes });
      assertMatch(relay.output(), /"tls":"TLSv1\.[23]/);
    },
  });

  Deno.test({
    name: `next hops: no mail leaves to a real ${name} with another's certificate (needs it)`,
    ignore: !canRun,
    fn: async () => {
      await using folder = await tempFolder();
      await Deno.writeTextFile(`${folder.path}/root.pem`, authority.certificate);
      await using sink = startRecordingSink();
      await using server = await start(sink.port, authority.issue({ names: ["else.test"] }));
      await using relay = await startRelay({
        folder: folder.path,
        settings: transport(server.port, folder.path, [
          `tls = "verified"`,
          `tls_names = ["mail.test"]`,
        ]),
      });
      await send(relay.port, { sample: sampleMessage() });
      await relay.waitForEvent("deferred");
      assertMatch(relay.output(), /4\.7\.5 .*is for else\.test, not mail\.test/);
      assertEquals(sink.messages.length, 0);
    },
  });
}

Deno.test({
  name: "next hops: every octet through a real OpenSMTPD, without PIPELINING (needs it, as root)",
  ignore: !canRunUnpacked("opensmtpd"),
  fn: async () => {
    await using folder = await tempFolder();
    await using sink = startRecordingSink();
    await using server = await startUnpacked("opensmtpd", { nextHopPort: sink.port });
    await using relay = await startRelay({ folder: folder.path, nextHopPort: server.port });
    // It adds the Date that they lack.
    await sendAwkward({ relay, sink, changes: [NO_BODY, "a folded and repeated header"] });
  },
});

// OpenSMTPD 6.8 as Debian 12 builds it offers STARTTLS and fails every handshake, that of
// `openssl s_client` included: a server of the kind for which opportunistic TLS goes on in plain.
for (const [level, event] of [["opportunistic", "delivered"], ["required", "deferred"]] as const) {
  Deno.test({
    name: `next hops: mail is ${event} where TLS is ${level} and a real OpenSMTPD fails it ` +
      `(needs it, as root)`,
    ignore: !canRunUnpacked("opensmtpd"),
    fn: async () => {
      await using folder = await tempFolder();
      await Deno.writeTextFile(`${folder.path}/root.pem`, authority.certificate);
      await using sink = startRecordingSink();
      const tls = authority.issue({ names: ["mail.test"] });
      await using server = await startUnpacked("opensmtpd", { nextHopPort: sink.port, tls });
      await using relay = await startRelay({
        folder: folder.path,
        settings: transport(server.port, folder.path, [`tls = "${level}"`]),
      });
      await send(relay.port, { sample: sampleMessage() });
      await relay.waitForEvent(event);
    },
  });
}

for (const mechanism of ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"]) {
  Deno.test({
    name:
      `next hops: the relay logs in to Postfix with ${mechanism} (needs postfix, dovecot, root)`,
    ignore: !canRunPostfix() || !canRunDovecot(),
    fn: async () => {
      await using folder = await tempFolder();
      await Deno.writeTextFile(`${folder.path}/root.pem`, authority.certificate);
      await Deno.writeTextFile(`${folder.path}/password`, "open sesame\n");
      await using sink = startRecordingSink();
      await using dovecot = await startDovecot({ users: { relay: "open sesame" } });
      const certificate = authority.issue({ names: ["mail.test"] });
      await using postfix = await startSecurePostfix(sink.port, certificate, {
        mynetworks: "192.0.2.0/24", // who comes without a login gets nowhere
        smtpd_sasl_auth_enable: "yes",
        smtpd_sasl_type: "dovecot",
        smtpd_sasl_path: dovecot.authSocket,
        smtpd_tls_auth_only: "yes",
        smtpd_relay_restrictions: "permit_sasl_authenticated, reject",
      });
      await using relay = await startRelay({
        folder: folder.path,
        settings: transport(postfix.port, folder.path, [
          `tls_names = ["mail.test"]`,
          `[transports.out.auth]`,
          `username = "relay"`,
          `password = { file = "${folder.path}/password" }`,
          `mechanisms = ["${mechanism}"]`,
        ]),
      });
      await send(relay.port, { sample: sampleMessage() });
      await sink.waitForMessages(1);
      assertMatch(await postfix.log(), new RegExp(`sasl_method=${mechanism}, sasl_username=relay`));
      assertEquals(relay.output().includes("open sesame"), false);
    },
  });
}
