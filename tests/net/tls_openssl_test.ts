import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Conn, TlsInfo } from "../../src/net/conn.ts";
import { TlsError } from "../../src/net/conn_error.ts";
import { dial } from "../../src/net/dial.ts";
import { listen } from "../../src/net/listener.ts";
import { createServerTls, type ServerTlsContext } from "../../src/net/server_tls.ts";
import { selfSigned, testAuthority, type TestCertificate } from "../support/certificates.ts";
import { havePeer, runPeer, startPeer, tempFolder } from "../support/peers.ts";

const timeoutMs = 10_000;
const ignore = !havePeer("openssl");
const authority = testAuthority();
const relay = authority.issue({ names: ["relay.test"] });
const other = authority.issue({ names: ["other.test"] });

/** What the server saw of each connection, in order. */
type Seen = (TlsInfo | null)[];

/** A server that speaks as much SMTP as `openssl s_client` needs, then echoes one line. */
async function serve(
  context: ServerTlsContext,
  { seen, startTls = false }: { seen: Seen; startTls?: boolean },
) {
  const sessions: Promise<void>[] = [];
  const listener = await listen({ address: "127.0.0.1", port: 0 }, {
    onConn: (conn) => void sessions.push(session(conn)),
    onError: (error) => {
      throw error;
    },
  });
  const session = async (plain: Conn): Promise<void> => {
    if (startTls) await smtpUpToStartTls(plain);
    try {
      const conn = await plain.upgradeToTls({ role: "server", context, timeoutMs });
      seen.push(conn.tls);
      await conn.write(Buffer.from(`echo ${await readLine(conn)}`));
      conn.close();
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      seen.push(null);
    }
  };
  return {
    port: listener.local.port,
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]();
      await Promise.all(sessions);
    },
  };
}

async function smtpUpToStartTls(conn: Conn): Promise<void> {
  await conn.write(Buffer.from("220 relay.test ESMTP\r\n"));
  assertMatch(await readLine(conn), /^EHLO /);
  await conn.write(Buffer.from("250-relay.test\r\n250 STARTTLS\r\n"));
  assertEquals(await readLine(conn), "STARTTLS\r\n");
  await conn.write(Buffer.from("220 2.0.0 Go ahead\r\n"));
}

async function readLine(conn: Conn): Promise<string> {
  const into = Buffer.alloc(1024);
  let length = 0;
  while (!into.subarray(0, length).includes("\n")) {
    length += await conn.read(into.subarray(length)) ?? 0;
  }
  return into.toString("latin1", 0, length);
}

async function sClient(port: number, args: readonly string[]): Promise<string> {
  await using client = startPeer("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...args],
    stdin: "hello\n",
  });
  const { stdout, stderr } = await client.ended;
  return stdout + stderr;
}

async function writePair(folder: string, name: string, pair: TestCertificate): Promise<string[]> {
  await Deno.writeTextFile(`${folder}/${name}.crt`, pair.certificate);
  await Deno.writeTextFile(`${folder}/${name}.key`, pair.key);
  return ["-cert", `${folder}/${name}.crt`, "-key", `${folder}/${name}.key`];
}

for (const [flag, version] of [["-tls1_2", "TLSv1.2"], ["-tls1_3", "TLSv1.3"]] as const) {
  for (const startTls of [false, true]) {
    const how = startTls ? "STARTTLS" : "implicit TLS";
    Deno.test({
      name: `openssl s_client speaks ${version} with ${how} (needs openssl)`,
      ignore,
      async fn() {
        const seen: Seen = [];
        const context = createServerTls({ certificates: [relay, other] });
        await using server = await serve(context, { seen, startTls });
        const output = await sClient(server.port, [
          flag,
          "-servername",
          "other.test",
          ...(startTls ? ["-starttls", "smtp"] : []),
        ]);
        assertMatch(output, /subject=CN ?= ?other\.test/);
        assertMatch(output, /echo hello/);
        assertEquals(seen.map((tls) => tls?.version), [version]);
        assertEquals(seen[0]?.serverName, "other.test");
        assert(seen[0]?.cipher !== "");
      },
    });
  }
}

Deno.test({
  name: "versions below the minimum are refused (needs openssl)",
  ignore,
  async fn() {
    const seen: Seen = [];
    const context = createServerTls({ certificates: [relay], minVersion: "TLSv1.3" });
    await using server = await serve(context, { seen });
    assertMatch(await sClient(server.port, ["-tls1_2"]), /Cipher is \(NONE\)/);
    const old = await sClient(server.port, ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    assertMatch(old, /Cipher is \(NONE\)/);
    assertEquals(seen, [null, null]);
  },
});

for (const flag of ["-tls1_2", "-tls1_3"]) {
  Deno.test({
    name:
      `a resumed session trusts a client no more than its handshake did ${flag} (needs openssl)`,
    ignore,
    async fn() {
      const seen: Seen = [];
      const context = createServerTls({
        certificates: [relay],
        requestClientCertificates: true,
        clientCa: [authority.certificate],
      });
      await using folder = await tempFolder();
      await using server = await serve(context, { seen });
      const session = `${folder.path}/session`;
      const known = authority.issue({ names: ["known.test"] });
      for (const pair of [known, selfSigned({ names: ["stranger.test"] })]) {
        const client = await writePair(folder.path, "client", pair);
        const first = await sClient(server.port, [flag, ...client, "-sess_out", session]);
        assertMatch(first, /^New, /m);
        const second = await sClient(server.port, [flag, ...client, "-sess_in", session]);
        assertMatch(second, /^Reused, /m);
      }
      assertEquals(seen.map((tls) => tls?.peer?.authorized), [true, true, false, false]);
      assertEquals(seen[3]?.peer?.names, ["stranger.test"]);
    },
  });

  Deno.test({
    name: `a server without the key of its certificate is refused ${flag} (needs openssl)`,
    ignore,
    async fn() {
      await using folder = await tempFolder();
      const files = await writePair(folder.path, "server", {
        ...relay,
        key: keyWithForeignPublicHalf({ secretOf: other.key, publicOf: relay.key }),
      });
      await using server = startPeer("openssl", {
        args: ["s_server", "-www", "-accept", "127.0.0.1:0", flag, ...files],
      });
      const [, port] = await server.waitForOutput(/^ACCEPT \S+:(\d+)\n/m);
      for (const verify of ["none", "chain"] as const) {
        const dialled = await dial({ address: "127.0.0.1", port: Number(port) }, { timeoutMs });
        assert(dialled.kind === "connected");
        await assertRejects(() =>
          dialled.conn.upgradeToTls({
            role: "client",
            serverName: "relay.test",
            verify,
            ca: [authority.certificate],
            timeoutMs,
          }), TlsError);
      }
    },
  });
}

/** OpenSSL takes the public half in the key file for granted, so it signs with a wrong secret. */
function keyWithForeignPublicHalf(keys: { secretOf: string; publicOf: string }): string {
  const der = createPrivateKey(keys.publicOf).export({ type: "sec1", format: "der" });
  const secret = createPrivateKey(keys.secretOf).export({ format: "jwk" }).d ?? "";
  // ECPrivateKey of RFC 5915: SEQUENCE { INTEGER 1, OCTET STRING of 32 octets, … }
  der.set(Buffer.from(secret, "base64url"), der.indexOf(Buffer.from([0x04, 0x20])) + 2);
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN EC PRIVATE KEY-----\n${lines.join("\n")}\n-----END EC PRIVATE KEY-----\n`;
}

Deno.test({
  name: "certificates for tests are what openssl expects of certificates (needs openssl)",
  ignore,
  async fn() {
    await using folder = await tempFolder();
    await writePair(folder.path, "relay", relay);
    await Deno.writeTextFile(`${folder.path}/root.crt`, authority.certificate);
    const { stdout, code } = await runPeer("openssl", {
      args: ["verify", "-CAfile", "root.crt", "relay.crt"],
      cwd: folder.path,
    });
    assertEquals({ stdout, code }, { stdout: "relay.crt: OK\n", code: 0 });
    assert(createPublicKey(relay.certificate).equals(createPublicKey(relay.key)));
  },
});
