import { assertEquals, assertMatch } from "@std/assert";
import { testAuthority } from "../support/certificates.ts";
import { canRunDovecot, startDovecot } from "../support/dovecot.ts";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { canRunPostfix } from "../support/postfix.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";
import { startSecurePostfix } from "../support/secure_postfix.ts";
import { startTokenServer } from "../support/token_server.ts";

const authority = testAuthority();

function transport(port: number, folder: string, lines: readonly string[]): string {
  return [
    `[delivery]`,
    `down = "10ms"`,
    `[queue]`,
    `retry = ["1s"]`,
    `[transports.out]`,
    `type = "smarthost"`,
    `hosts = ["127.0.0.1:${port}"]`,
    `tls = "verified"`,
    `tls_ca = { file = "${folder}/root.pem" }`,
    `tls_names = ["mail.test"]`,
    ...lines,
    ``,
  ].join("\n");
}

async function send(port: number): Promise<void> {
  using client = await PlainClient.greet(port);
  const { reply } = await client.send({
    ...{ from: "sender@source.test", to: ["user@sink.test"], data: sampleMessage() },
  });
  assertEquals(reply.code, 250, reply.lines.join(" "));
}

for (const mechanism of ["OAUTHBEARER", "XOAUTH2"]) {
  Deno.test({
    name: `next hops: the relay logs in to Postfix with ${mechanism}, and again where the token ` +
      `is refused (needs postfix, dovecot, root)`,
    ignore: !canRunPostfix() || !canRunDovecot(),
    fn: async () => {
      await using folder = await tempFolder();
      await Deno.writeTextFile(`${folder.path}/root.pem`, authority.certificate);
      await using sink = startRecordingSink();
      await using tokens = startTokenServer({
        ...{ user: "relay", tokens: ["stale", "fresh"], valid: ["fresh"] },
      });
      await using dovecot = await startDovecot({ users: {}, tokenInfoUrl: tokens.tokenInfoUrl });
      const certificate = authority.issue({ names: ["mail.test"] });
      await using postfix = await startSecurePostfix(sink.port, certificate, {
        mynetworks: "192.0.2.0/24",
        smtpd_sasl_auth_enable: "yes",
        smtpd_sasl_type: "dovecot",
        smtpd_sasl_path: dovecot.authSocket,
        smtpd_relay_restrictions: "permit_sasl_authenticated, reject",
      });
      await using relay = await startRelay({
        folder: folder.path,
        settings: transport(postfix.port, folder.path, [
          `[transports.out.auth]`,
          `username = "relay"`,
          `mechanisms = ["${mechanism}"]`,
          `[transports.out.auth.oauth]`,
          `token_url = "${tokens.tokenUrl}"`,
          `client_id = "posthouse"`,
          `refresh_token = "for ever"`,
        ]),
      });
      await send(relay.port);
      await sink.waitForMessages(1);
      assertMatch(await postfix.log(), new RegExp(`sasl_method=${mechanism}, sasl_username=relay`));
      const asked = {
        grant_type: "refresh_token",
        client_id: "posthouse",
        refresh_token: "for ever",
      };
      assertEquals(tokens.grants.map((form) => ({ ...form })), [asked, asked]);
    },
  });
}

Deno.test({
  name: "next hops: the relay shows its certificate to Postfix (needs postfix, root)",
  ignore: !canRunPostfix(),
  fn: async () => {
    await using folder = await tempFolder();
    const own = authority.issue({ names: ["relay.test"] });
    await Deno.writeTextFile(`${folder.path}/root.pem`, authority.certificate);
    await Deno.writeTextFile(`${folder.path}/own.pem`, own.certificate);
    await Deno.writeTextFile(`${folder.path}/own.key`, own.key);
    await Deno.chmod(folder.path, 0o755); // Postfix reads the root as itself
    const fingerprint = own.fingerprintSha256.toUpperCase().match(/../g)?.join(":");
    await using sink = startRecordingSink();
    await using postfix = await startSecurePostfix(
      sink.port,
      authority.issue({ names: ["mail.test"] }),
      {
        mynetworks: "192.0.2.0/24",
        smtpd_tls_ask_ccert: "yes",
        smtpd_tls_CAfile: `${folder.path}/root.pem`,
        smtpd_tls_fingerprint_digest: "sha256",
        smtpd_tls_loglevel: "1",
        relay_clientcerts: `inline:{${fingerprint}=relay.test}`,
        smtpd_relay_restrictions: "permit_tls_clientcerts, reject",
      },
    );
    await using relay = await startRelay({
      folder: folder.path,
      settings: transport(postfix.port, folder.path, [
        `tls_certificate = { file = "${folder.path}/own.pem" }`,
        `tls_key = { file = "${folder.path}/own.key" }`,
      ]),
    });
    await send(relay.port);
    await sink.waitForMessages(1);
    assertMatch(await postfix.log(), /Trusted TLS connection established from/);
  },
});
