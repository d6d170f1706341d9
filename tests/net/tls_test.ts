import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { ClientTlsUpgrade, Conn, ServerTlsUpgrade } from "../../src/net/conn.ts";
import { TlsError } from "../../src/net/conn_error.ts";
import {
  CertificateError,
  createServerTls,
  type ServerTlsOptions,
} from "../../src/net/server_tls.ts";
import { selfSigned, testAuthority } from "../support/certificates.ts";
import { connPair } from "../support/conn_pair.ts";

const timeoutMs = 10_000;
const authority = testAuthority();
const relay = authority.issue({ names: ["relay.test"] });
const other = authority.issue({ names: ["other.test", "*.wild.test"] });

const serverSide = (options: Partial<ServerTlsOptions> = {}): ServerTlsUpgrade => ({
  role: "server",
  context: createServerTls({ certificates: [relay, other], ...options }),
  timeoutMs,
});

const clientSide = (options: Partial<ClientTlsUpgrade> = {}): ClientTlsUpgrade => ({
  role: "client",
  serverName: "relay.test",
  verify: "chain",
  ca: [authority.certificate],
  timeoutMs,
  ...options,
});

interface Pair extends Disposable {
  readonly client: Conn;
  readonly server: Conn;
}

async function tlsPair(server: ServerTlsUpgrade, client: ClientTlsUpgrade): Promise<Pair> {
  const plain = await connPair();
  const [serverConn, clientConn] = await Promise.all([
    plain.server.upgradeToTls(server),
    plain.client.upgradeToTls(client),
  ]);
  return {
    client: clientConn,
    server: serverConn,
    [Symbol.dispose]() {
      serverConn.close();
      clientConn.close();
    },
  };
}

async function drain(conn: Conn): Promise<number> {
  const into = new Uint8Array(65536);
  let total = 0;
  for (;;) {
    const lengthBytes = await conn.read(into);
    if (lengthBytes === null) return total;
    total += lengthBytes;
  }
}

async function failure(server: ServerTlsUpgrade, client: ClientTlsUpgrade): Promise<TlsError> {
  const plain = await connPair();
  const accepting = plain.server.upgradeToTls(server).then((conn) => conn.close(), () => {});
  const error = await assertRejects(() => plain.client.upgradeToTls(client), TlsError);
  await accepting;
  return error;
}

Deno.test("octets pass both ways inside TLS and its end is told", async () => {
  using pair = await tlsPair(serverSide(), clientSide());
  const into = new Uint8Array(16);
  await pair.client.write(new Uint8Array([1, 2, 3]));
  assertEquals(await pair.server.read(into.subarray(0, 2)), 2);
  assertEquals(await pair.server.read(into), 1);
  await pair.server.write(new Uint8Array(5));
  assertEquals(await pair.client.read(into), 5);
  pair.client.close();
  assertEquals(await pair.server.read(into), null);
  await assertRejects(() => pair.client.read(into), Error, "closed");
});

Deno.test("large writes pass whole in both directions", async () => {
  using pair = await tlsPair(serverSide(), clientSide());
  const sizeBytes = 4 << 20;
  const { client, server } = pair;
  const received = drain(client);
  await server.write(new Uint8Array(sizeBytes));
  server.close();
  assertEquals(await received, sizeBytes);
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`the ends of a stream inside TLS know where they are, minimum ${version}`, async () => {
    using pair = await tlsPair(serverSide({ minVersion: version }), clientSide());
    assertEquals(pair.client.remote, pair.server.local);
    assertEquals(pair.server.tls?.version, "TLSv1.3");
    assertEquals(pair.server.tls?.serverName, "relay.test");
    assertEquals(pair.server.tls?.peer, undefined);
    assertEquals(pair.client.tls?.cipher, pair.server.tls?.cipher);
    const peer = pair.client.tls?.peer;
    assertEquals(peer?.authorized, true);
    assertEquals(peer?.reason, null);
    assertEquals(peer?.fingerprintSha256, relay.fingerprintSha256);
    assertEquals(peer?.subject, "CN=relay.test");
    assertEquals(peer?.names, ["relay.test"]);
    assertEquals(peer?.chain[0], relay.der);
  });
}

Deno.test("the certificate is chosen by the name that the client asks for", async () => {
  const nameShown = async (serverName: string): Promise<string | undefined> => {
    using pair = await tlsPair(serverSide(), clientSide({ serverName, verify: "none" }));
    return pair.client.tls?.peer?.names[0];
  };
  assertEquals(await nameShown("other.test"), "other.test");
  assertEquals(await nameShown("OTHER.test"), "other.test");
  assertEquals(await nameShown("a.wild.test"), "other.test");
  assertEquals(await nameShown("unknown.test"), "relay.test");
  assertEquals(await nameShown("127.0.0.1"), "relay.test");
});

Deno.test("the name that the client asks for is told where there is nothing to choose", async () => {
  using pair = await tlsPair(serverSide({ certificates: [relay] }), clientSide());
  assertEquals(pair.server.tls?.serverName, "relay.test");
});

Deno.test("a certificate that does not verify ends the handshake, with its reason", async () => {
  const reason = async (server: ServerTlsUpgrade, client: ClientTlsUpgrade): Promise<string> =>
    (await failure(server, client)).reason;
  const expired = authority.issue({ names: ["relay.test"], notBeforeMs: 1e12, notAfterMs: 1.1e12 });
  const own = selfSigned({ names: ["relay.test"] });
  assertEquals(await reason(serverSide(), clientSide({ serverName: "x.test" })), "name_mismatch");
  assertEquals(await reason(serverSide(), clientSide({ ca: [own.certificate] })), "untrusted");
  assertEquals(await reason(serverSide({ certificates: [own] }), clientSide()), "untrusted");
  assertEquals(await reason(serverSide({ certificates: [expired] }), clientSide()), "expired");
});

Deno.test("opportunistic TLS takes any certificate and tells that it is not authorized", async () => {
  const own = selfSigned({ names: ["relay.test"] });
  using pair = await tlsPair(
    serverSide({ certificates: [own] }),
    clientSide({ verify: "none" }),
  );
  const peer = pair.client.tls?.peer;
  assertEquals(peer?.authorized, false);
  assertEquals(peer?.reason, "DEPTH_ZERO_SELF_SIGNED_CERT");
  assertEquals(peer?.fingerprintSha256, own.fingerprintSha256);
});

Deno.test("a client's certificate is told, trusted or not", async () => {
  const server = serverSide({ requestClientCertificates: true, clientCa: [authority.certificate] });
  const peerFor = async (options: Partial<ClientTlsUpgrade>) => {
    using pair = await tlsPair(server, clientSide(options));
    return pair.server.tls?.peer;
  };
  const device = authority.issue({ names: ["device.test"] });
  const trusted = await peerFor({ clientCertificate: device });
  assertEquals(trusted?.authorized, true);
  assertEquals(trusted?.fingerprintSha256, device.fingerprintSha256);
  assertEquals(trusted?.names, ["device.test"]);
  const doubted = await peerFor({ clientCertificate: selfSigned({ names: ["device.test"] }) });
  assertEquals(doubted?.authorized, false);
  assertEquals(await peerFor({}), undefined);
});

Deno.test("without roots no client's certificate is trusted", async () => {
  const device = authority.issue({ names: ["device.test"] });
  const server = serverSide({ requestClientCertificates: true });
  using pair = await tlsPair(server, clientSide({ clientCertificate: device }));
  assertEquals(pair.server.tls?.peer?.authorized, false);
});

Deno.test("replaced certificates serve the handshakes that follow", async () => {
  const server = serverSide();
  const renewed = authority.issue({ names: ["relay.test"] });
  using before = await tlsPair(server, clientSide());
  server.context.replace({ certificates: [renewed] });
  using after = await tlsPair(server, clientSide());
  assertEquals(before.client.tls?.peer?.fingerprintSha256, relay.fingerprintSha256);
  assertEquals(after.client.tls?.peer?.fingerprintSha256, renewed.fingerprintSha256);
  const bad = { certificates: [{ certificate: relay.certificate, key: other.key }] };
  assertThrows(() => server.context.replace(bad), CertificateError);
  using still = await tlsPair(server, clientSide());
  assertEquals(still.client.tls?.peer?.fingerprintSha256, renewed.fingerprintSha256);
});

Deno.test("certificates that cannot be used are refused when they are given", () => {
  const refused = (certificate: string, key: string) =>
    assertThrows(
      () => createServerTls({ certificates: [{ certificate, key }] }),
      CertificateError,
    );
  refused("not PEM", relay.key);
  refused(relay.certificate, "not PEM");
  refused(relay.certificate, other.key);
  assertThrows(() => createServerTls({ certificates: [] }), CertificateError, "at least one");
});

Deno.test("a peer that does not speak TLS ends the handshake", async () => {
  const { client, server } = await connPair();
  const failing = assertRejects(() => client.upgradeToTls(clientSide()), TlsError);
  await server.write(new TextEncoder().encode("454 4.7.0 TLS not available\r\n"));
  assertEquals((await failing).reason, "handshake");
  server.close();
});

Deno.test("plaintext where a handshake is due ends the connection", async () => {
  const { client, server } = await connPair();
  const failing = assertRejects(() => server.upgradeToTls(serverSide()), TlsError);
  await client.write(new TextEncoder().encode("EHLO client.test\r\nMAIL FROM:<>\r\n"));
  assertEquals((await failing).reason, "handshake");
  client.close();
});

Deno.test("a handshake ends in time, and with the connection", async () => {
  const silent = await connPair();
  const late = await assertRejects(
    () => silent.server.upgradeToTls({ ...serverSide(), timeoutMs: 20 }),
    TlsError,
  );
  assertEquals(late.reason, "timeout");
  assertEquals(late.kind, "tls");
  silent.client.close();

  for (const upgrade of [serverSide(), clientSide()]) {
    const gone = await connPair();
    gone.client.close();
    const lost = await assertRejects(() => gone.server.upgradeToTls(upgrade), TlsError);
    assertEquals(lost.reason, "lost");
  }
});

Deno.test("close ends a pending read inside TLS and a second handshake is refused", async () => {
  using pair = await tlsPair(serverSide(), clientSide());
  await assertRejects(() => pair.server.upgradeToTls(serverSide()), TlsError);
  const pending = assertRejects(() => pair.client.read(new Uint8Array(1)), Error, "closed");
  pair.client.close();
  pair.client.close();
  await pending;
  await assertRejects(() => pair.client.write(new Uint8Array(1)), Error, "closed");
  assert(await pair.server.read(new Uint8Array(1)) === null);
});
