import { assertEquals, assertStringIncludes } from "@std/assert";
import { havePeer, runPeer, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { type RecordingSink, startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { assertOnlyTraceAdded, sampleMessage } from "../support/sample_messages.ts";

const MESSAGE = sampleMessage({ subject: "interop", lines: [".dots", "Grüße", "", "end"] });

/** A relay in front of a recording sink, and a folder to work in. */
interface Bench {
  readonly port: number;
  readonly folder: string;
  readonly sink: RecordingSink;
}

/** Runs `client` against a fresh relay. */
async function withRelay(client: (bench: Bench) => Promise<void>): Promise<void> {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
  await client({ port: relay.port, folder: folder.path, sink });
}

/** Asserts that the sink got `MESSAGE` once with this envelope. */
async function assertDelivered(sink: RecordingSink): Promise<void> {
  await sink.waitForMessages(1);
  const message = sink.messages[0];
  assertEquals(message?.reversePath, "sender@source.test");
  assertEquals(message?.recipients, ["user@sink.test"]);
  assertOnlyTraceAdded({ received: message?.data ?? new Uint8Array(), sent: MESSAGE });
}

Deno.test({
  name: "interop in: curl (needs curl)",
  ignore: !havePeer("curl"),
  fn: () =>
    withRelay(async ({ port, folder, sink }) => {
      await Deno.writeFile(`${folder}/message`, MESSAGE);
      const { code, stderr } = await runPeer("curl", {
        args: [
          ...["--silent", "--show-error", "--url", `smtp://127.0.0.1:${port}/client.test`],
          ...["--mail-from", "sender@source.test", "--mail-rcpt", "user@sink.test"],
          ...["--upload-file", `${folder}/message`],
        ],
      });
      assertEquals(code, 0, stderr);
      await assertDelivered(sink);
    }),
});

Deno.test({
  name: "interop in: swaks with pipelining (needs swaks)",
  ignore: !havePeer("swaks"),
  fn: () =>
    withRelay(async ({ port, folder, sink }) => {
      // It ends what it sends with a CRLF of its own.
      await Deno.writeFile(`${folder}/message`, MESSAGE.subarray(0, -2));
      const { code, stdout } = await runPeer("swaks", {
        args: [
          ...["--server", "127.0.0.1", "--port", `${port}`, "--pipeline"],
          ...["--from", "sender@source.test", "--to", "user@sink.test"],
          ...["--data", `@${folder}/message`],
        ],
      });
      assertEquals(code, 0, stdout);
      await assertDelivered(sink);
    }),
});

const SMTPLIB_SCRIPT = `
import smtplib, sys
port, path = int(sys.argv[1]), sys.argv[2]
with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test") as client:
    client.sendmail("sender@source.test", ["user@sink.test"], open(path, "rb").read(),
                    mail_options=["BODY=8BITMIME"])
`;

Deno.test({
  name: "interop in: Python's smtplib (needs python3)",
  ignore: !havePeer("python3"),
  fn: () =>
    withRelay(async ({ port, folder, sink }) => {
      await Deno.writeFile(`${folder}/message`, MESSAGE);
      const { code, stderr } = await runPeer("python3", {
        args: ["-c", SMTPLIB_SCRIPT, `${port}`, `${folder}/message`],
      });
      assertEquals(code, 0, stderr);
      await assertDelivered(sink);
    }),
});

Deno.test({
  name: "interop in: msmtp (needs msmtp)",
  ignore: !havePeer("msmtp"),
  fn: () =>
    withRelay(async ({ port, sink }) => {
      const { code, stderr } = await runPeer("msmtp", {
        args: [
          ...["--file=/dev/null", "--host=127.0.0.1", `--port=${port}`, "--tls=off", "--auth=off"],
          ...["--from=sender@source.test", "user@sink.test"],
        ],
        stdin: new TextDecoder().decode(MESSAGE).replaceAll("\r\n", "\n"),
      });
      assertEquals(code, 0, stderr);
      await assertDelivered(sink);
    }),
});

Deno.test({
  name: "interop in: twenty sessions of smtp-source (needs smtp-source)",
  ignore: !havePeer("smtp-source"),
  fn: () =>
    withRelay(async ({ port, sink }) => {
      const { code, stderr } = await runPeer("smtp-source", {
        args: [
          ...["-d", "-s", "20", "-m", "400", "-l", "2048", "-r", "3"],
          ...["-f", "sender@source.test", "-t", "user@sink.test", `127.0.0.1:${port}`],
        ],
      });
      assertEquals(code, 0, stderr);
      await sink.waitForMessages(400);
      assertEquals(sink.messages.every(({ recipients }) => recipients.length === 3), true);
    }),
});

Deno.test("interop in: a device that knows only HELO", () =>
  withRelay(async ({ port, sink }) => {
    using device = await PlainClient.connect(port);
    assertEquals((await device.command("HELO printer")).code, 250);
    const { reply } = await device.send({
      from: "sender@source.test",
      to: ["user@sink.test"],
      data: MESSAGE,
    });
    assertEquals(reply.code, 250);
    assertEquals((await device.command("QUIT")).code, 221);
    await assertDelivered(sink);
    const trace = new TextDecoder().decode(sink.messages[0]?.data).split("\r\n\tfor")[0] ?? "";
    assertStringIncludes(trace, "with SMTP");
  }));
