import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { haveTlsPeer, type Peer, runPeer, startPeer } from "../../support/peers.ts";
import {
  authority,
  type SecureRelay,
  startSecureRelay,
  userTable,
  writePair,
} from "./secure_relay.ts";

const SWAKS_MAIL = ["--from", "a@source.test", "--to", "b@sink.test", "--body", "hello"];

/** Tests with a relay of their own, skipped where a program is missing or has no TLS. */
async function tlsTest(
  { name, peer, listener, settings = () => Promise.resolve("") }: {
    name: string;
    peer: string;
    listener: string;
    settings?: () => Promise<string>;
  },
  run: (relay: SecureRelay) => Promise<void>,
): Promise<void> {
  Deno.test({
    name: `server: ${name} (needs ${peer} with TLS)`,
    ignore: !await haveTlsPeer(peer),
    async fn() {
      await using relay = await startSecureRelay({ listener, settings: await settings() });
      await run(relay);
    },
  });
}

/** A session of `openssl s_client` that says these lines, each when the one before is answered. */
async function sClient(
  { port, folder }: SecureRelay,
  { args = [], lines = ["EHLO client.test", "QUIT"] }: {
    args?: readonly string[];
    lines?: readonly string[];
  } = {},
): Promise<string> {
  await using client: Peer = startPeer("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-crlf", "-ign_eof"]
      .concat(["-CAfile", `${folder}/ca.crt`], args),
    stdin: lines.map((line) => `${line}\n`).join(""),
  });
  const { stdout, stderr } = await client.ended;
  return stdout + stderr;
}

await tlsTest({
  name: "openssl speaks STARTTLS, and gets the certificate it asks for",
  peer: "openssl",
  listener: `tls = "starttls"`,
}, async (relay) => {
  const starttls = ["-starttls", "smtp"];
  const first = await sClient(relay, { args: starttls });
  assertMatch(first, /subject=CN ?= ?relay\.test/);
  assertMatch(first, /Verify return code: 0 \(ok\)/);
  assertMatch(first, /250-SIZE/);
  assertMatch(first, /221 2\.0\.0/);
  assertNotMatch(first, /250-STARTTLS\r?\n[^]*250-STARTTLS/);
  const other = await sClient(relay, { args: [...starttls, "-servername", "other.test"] });
  assertMatch(other, /subject=CN ?= ?other\.test/);
});

for (const [flag, version] of [["-tls1_2", "TLSv1.2"], ["-tls1_3", "TLSv1.3"]] as const) {
  await tlsTest({
    name: `openssl speaks ${version} from the first octet`,
    peer: "openssl",
    listener: `tls = "implicit"`,
  }, async (relay) => {
    const output = await sClient(relay, { args: [flag] });
    assertMatch(output, /220 relay\.test ESMTP/);
    assertMatch(output, new RegExp(`${version.replace(".", "\\.")}, Cipher is`));
    assertMatch(output, /221 2\.0\.0/);
  });
}

await tlsTest({
  name: "openssl is refused below the oldest version",
  peer: "openssl",
  listener: `tls = "implicit"`,
}, async (relay) => {
  assertMatch(await sClient(relay, { args: ["-tls1_1"] }), /Cipher is \(NONE\)/);
});

await tlsTest({
  name: "certificates are read again at SIGHUP, without a restart",
  peer: "openssl",
  listener: `tls = "implicit"`,
}, async (relay) => {
  const before = await sClient(relay);
  await writePair(relay.folder, "relay");
  relay.relay.signal("SIGHUP");
  await relay.relay.waitForEvent("reloaded");
  const after = await sClient(relay);
  assertMatch(after, /Verify return code: 0 \(ok\)/);
  assertEquals(pemOf(before) === pemOf(after), false);
});

await tlsTest({
  name: "a client certificate stands for a user",
  peer: "openssl",
  listener: `tls = "implicit"\nclient_certificates = true\nauth = "required"`,
  settings: async () =>
    `${await userTable(
      "printer",
      "x",
    )}[[auth.certificates]]\nuser = "printer"\nsan = "scan.test"\n`,
}, async (relay) => {
  const { certificate, key } = authority.issue({ names: ["scan.test"] });
  await Deno.writeTextFile(`${relay.folder}/scan.crt`, certificate);
  await Deno.writeTextFile(`${relay.folder}/scan.key`, key);
  const own = ["-cert", `${relay.folder}/scan.crt`, "-key", `${relay.folder}/scan.key`];
  const lines = ["EHLO client.test", "MAIL FROM:<scan@source.test>", "QUIT"];
  assertMatch(await sClient(relay, { args: own, lines }), /250 2\.1\.0 Sender ok/);
  assertMatch(await sClient(relay, { lines }), /530 5\.7\.0 Authentication required/);
});

await tlsTest({
  name: "swaks sends with STARTTLS",
  peer: "swaks",
  listener: `tls = "required"`,
}, async ({ port, sink }) => {
  const { code, stdout } = await runPeer("swaks", {
    args: ["--server", "127.0.0.1", "--port", `${port}`, "--tls", ...SWAKS_MAIL],
  });
  assertEquals(code, 0, stdout);
  await sink.waitForMessages(1);
  assertMatch(new TextDecoder().decode(sink.messages[0]?.data), /with ESMTPS \(TLSv1\.3 /);
});

for (const mechanism of ["PLAIN", "LOGIN"]) {
  await tlsTest({
    name: `swaks authenticates with ${mechanism} on a listener for submission`,
    peer: "swaks",
    listener: `tls = "implicit"\nauth = "required"`,
    settings: () => userTable("alice", "correct horse"),
  }, async ({ port, sink }) => {
    const login = ["--auth", mechanism, "--auth-user", "alice", "--auth-password"];
    const args = ["--server", "127.0.0.1", "--port", `${port}`, "--tls-on-connect"];
    const wrong = await runPeer("swaks", { args: [...args, ...login, "wrong", ...SWAKS_MAIL] });
    assertMatch(wrong.stdout, /535 5\.7\.8/);
    const right = await runPeer("swaks", {
      args: [...args, ...login, "correct horse", ...SWAKS_MAIL],
    });
    assertEquals(right.code, 0, right.stdout);
    await sink.waitForMessages(1);
    assertMatch(new TextDecoder().decode(sink.messages[0]?.data), /with ESMTPSA \(TLSv1/);
  });
}

function pemOf(output: string): string {
  return /-----BEGIN CERTIFICATE-----[^-]*/.exec(output)?.[0] ?? "";
}
