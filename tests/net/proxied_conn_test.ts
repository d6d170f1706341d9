import { assert, assertEquals, assertRejects } from "@std/assert";
import { TlsError } from "../../src/net/conn_error.ts";
import { readProxyHeader } from "../../src/net/proxied_conn.ts";
import { createServerTls } from "../../src/net/server_tls.ts";
import { selfSigned } from "../support/certificates.ts";
import { connPair } from "../support/conn_pair.ts";

const timeoutMs = 10_000;
const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const HEADER = "PROXY TCP4 192.0.2.1 198.51.100.2 56789 25\r\n";

Deno.test("a connection from a balancer is that of its client", async () => {
  const { client, server } = await connPair();
  await client.write(octets(`${HEADER}EHLO`));
  const result = await readProxyHeader(server, { timeoutMs });
  assert(result.kind === "accepted");
  const { conn } = result;
  assertEquals(conn.remote, { address: "192.0.2.1", port: 56789 });
  assertEquals(conn.local, { address: "198.51.100.2", port: 25 });
  const into = new Uint8Array(3);
  assertEquals(await conn.read(into), 3);
  assertEquals(await conn.read(into), 1);
  await client.write(octets("x"));
  assertEquals(await conn.read(into), 1);
  await conn.write(octets("y"));
  assertEquals(await client.read(into), 1);
  conn.close();
  client.close();
});

Deno.test("a balancer's own connection keeps its addresses", async () => {
  const { client, server } = await connPair();
  await client.write(octets("PROXY UNKNOWN\r\n"));
  const result = await readProxyHeader(server, { timeoutMs });
  assert(result.kind === "accepted");
  assertEquals(result.conn.remote, client.local);
  result.conn.close();
  client.close();
});

Deno.test("TLS works behind the header, with the client's addresses", async () => {
  const { client, server } = await connPair();
  await client.write(octets(HEADER));
  const context = createServerTls({ certificates: [selfSigned({ names: ["relay.test"] })] });
  const accepting = readProxyHeader(server, { timeoutMs }).then((result) => {
    assert(result.kind === "accepted");
    return result.conn.upgradeToTls({ role: "server", context, timeoutMs });
  });
  const [inside, outside] = await Promise.all([
    accepting,
    client.upgradeToTls({ role: "client", serverName: "relay.test", verify: "none", timeoutMs }),
  ]);
  assertEquals(inside.remote, { address: "192.0.2.1", port: 56789 });
  await outside.write(octets("x"));
  assertEquals(await inside.read(new Uint8Array(8)), 1);
  outside.close();
  inside.close();
});

Deno.test("octets that came with the header and are no TLS end the handshake", async () => {
  const { client, server } = await connPair();
  await client.write(octets(`${HEADER}EHLO client.test\r\n`));
  const context = createServerTls({ certificates: [selfSigned({ names: ["relay.test"] })] });
  const result = await readProxyHeader(server, { timeoutMs });
  assert(result.kind === "accepted");
  await assertRejects(
    () => result.conn.upgradeToTls({ role: "server", context, timeoutMs }),
    TlsError,
  );
  client.close();
});

Deno.test("a connection without a proper header in time is closed", async () => {
  for (const sent of ["EHLO client.test\r\n", "PROXY TCP4 192.0.2.1\r\n", "PROXY "]) {
    const { client, server } = await connPair();
    await client.write(octets(sent));
    const result = await readProxyHeader(server, { timeoutMs: sent === "PROXY " ? 20 : timeoutMs });
    assertEquals(result.kind, "refused");
    client.close();
  }
  const { client, server } = await connPair();
  client.close();
  assertEquals((await readProxyHeader(server, { timeoutMs })).kind, "refused");
});
