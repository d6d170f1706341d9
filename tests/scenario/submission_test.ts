/** What applications and people send with, by STARTTLS and a password. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
// @ts-types="../support/nodemailer.d.ts"
import nodemailer from "nodemailer";
import {
  authority,
  type SecureRelay,
  startSecureRelay,
  userTable,
} from "../smtp/server/secure_relay.ts";
import { haveTlsPeer, runPeer } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startPosthouse } from "../support/relay_process.ts";

const FROM = "sender@source.test";
const TO = "user@sink.test";
const PASSWORD = "correct horse";
const MESSAGE = `From: ${FROM}\r\nTo: ${TO}\r\nSubject: submission\r\n\r\n.dots\r\nend\r\n`;

/** Lets a client send `MESSAGE` as alice and looks at what leaves the relay. */
async function submit(send: (bench: SecureRelay) => Promise<void>): Promise<void> {
  await using bench = await startSecureRelay({
    listener: `tls = "required"\nauth = "required"`,
    settings: await userTable("alice", PASSWORD),
  });
  await send(bench);
  await bench.sink.waitForMessages(1);
  const [message] = bench.sink.messages;
  assertEquals([message?.reversePath, message?.recipients], [FROM, [TO]]);
  const text = new TextDecoder().decode(message?.data);
  assertMatch(text, /with ESMTPSA \(TLSv1\.[23] /);
  assertStringIncludes(text, "\r\n\r\n.dots\r\nend\r\n");
}

Deno.test("submission: nodemailer", () =>
  submit(async ({ port }) => {
    const transport = nodemailer.createTransport({
      ...{ host: "127.0.0.1", port, secure: false, requireTLS: true, name: "client.test" },
      auth: { user: "alice", pass: PASSWORD },
      tls: { ca: authority.certificate, servername: "relay.test" },
    });
    const { response } = await transport.sendMail({
      envelope: { from: FROM, to: [TO] },
      raw: MESSAGE,
    });
    transport.close();
    assertMatch(response, /^250 2\.0\.0 /);
  }));

Deno.test({
  name: "submission: curl (needs curl with TLS)",
  ignore: !await haveTlsPeer("curl"),
  fn: () =>
    submit(async ({ port, folder }) => {
      const { code, stderr } = await runPeer("curl", {
        args: [
          ...["--silent", "--show-error", "--ssl-reqd", "--cacert", `${folder}/ca.crt`],
          ...["--resolve", `relay.test:${port}:127.0.0.1`, "--user", `alice:${PASSWORD}`],
          ...["--url", `smtp://relay.test:${port}/client.test`, "--mail-from", FROM],
          ...["--mail-rcpt", TO, "--upload-file", "-"],
        ],
        stdin: MESSAGE,
      });
      assertEquals(code, 0, stderr);
    }),
});

const SMTPLIB = `
import smtplib, ssl, sys
port, ca, password, message = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
with smtplib.SMTP("127.0.0.1", port, local_hostname="client.test") as client:
    client.starttls(context=context)
    client.login("alice", password)
    client.sendmail("${FROM}", ["${TO}"], message)
`;

Deno.test({
  name: "submission: Python's smtplib (needs python3 with TLS)",
  ignore: !await haveTlsPeer("python3"),
  fn: () =>
    submit(async ({ port, folder }) => {
      const { code, stderr } = await runPeer("python3", {
        args: ["-c", SMTPLIB, `${port}`, `${folder}/ca.crt`, PASSWORD, MESSAGE],
      });
      assertEquals(code, 0, stderr);
    }),
});

Deno.test({
  name: "submission: msmtp (needs msmtp with TLS)",
  ignore: !await haveTlsPeer("msmtp"),
  fn: () =>
    submit(async ({ port, folder }) => {
      const { code, stderr } = await runPeer("msmtp", {
        args: [
          ...["--file=/dev/null", "--host=127.0.0.1", `--port=${port}`, "--tls=on"],
          ...["--tls-starttls=on", `--tls-trust-file=${folder}/ca.crt`],
          ...["--tls-host-override=relay.test", "--auth=plain", "--user=alice"],
          ...[`--passwordeval=echo ${PASSWORD}`, `--from=${FROM}`, TO],
        ],
        stdin: MESSAGE.replaceAll("\r\n", "\n"),
      });
      assertEquals(code, 0, stderr);
    }),
});

Deno.test("submission: the first user logs in in the first session after `user add`", async () => {
  await using bench = await startSecureRelay({ listener: `tls = "required"\nauth = "required"` });
  const tls = { hostname: "relay.test", caCerts: [authority.certificate] };
  using before = await PlainClient.greetInTls(bench.port, tls);
  const offersPassword = ({ extensions }: PlainClient): boolean =>
    extensions.some((line) => /^AUTH .*PLAIN/.test(line));
  assertEquals(offersPassword(before), false);
  const config = `${bench.folder}/posthouse.toml`;
  const { code, stderr } = await startPosthouse(
    ["user", "add", "alice", "--password-stdin", "--config", config],
    { cwd: bench.folder, stdin: `${PASSWORD}\n` },
  ).ended;
  assertEquals(code, 0, stderr);
  using client = await PlainClient.greetInTls(bench.port, tls);
  assertEquals(offersPassword(client), true);
  const { code: reply } = await client.command(`AUTH PLAIN ${btoa(`\0alice\0${PASSWORD}`)}`);
  assertEquals(reply, 235);
});
