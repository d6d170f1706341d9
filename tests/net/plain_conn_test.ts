import { assertEquals, assertRejects } from "@std/assert";
import { ConnError, toConnError } from "../../src/net/conn_error.ts";
import { connPair } from "../support/conn_pair.ts";

Deno.test("a connection carries octets both ways and ends with null", async () => {
  const { client, server } = await connPair();
  await client.write(new Uint8Array([1, 2, 3]));
  const into = new Uint8Array(8);
  assertEquals(await server.read(into), 3);
  assertEquals([...into.subarray(0, 3)], [1, 2, 3]);
  client.close();
  assertEquals(await server.read(into), null);
  server.close();
});

Deno.test("a connection knows both its ends", async () => {
  const { client, server } = await connPair();
  assertEquals(server.remote, client.local);
  assertEquals(client.remote, server.local);
  assertEquals(server.tls, null);
  client.close();
  server.close();
});

Deno.test("close ends a pending read and may be called again", async () => {
  const { client, server } = await connPair();
  const pending = assertRejects(() => server.read(new Uint8Array(1)), ConnError);
  server.close();
  server.close();
  assertEquals((await pending).kind, "closed");
  assertEquals(
    (await assertRejects(() => server.write(new Uint8Array(1)), ConnError)).kind,
    "closed",
  );
  client.close();
});

Deno.test("close ends a write that the peer does not take", async () => {
  const { client, server } = await connPair();
  const flood = assertRejects(async () => {
    for (;;) await server.write(new Uint8Array(1 << 20));
  }, ConnError);
  await client.read(new Uint8Array(1));
  server.close();
  assertEquals((await flood).kind, "closed");
  client.close();
});

Deno.test("a write larger than the socket buffers arrives whole", async () => {
  const { client, server } = await connPair();
  const sizeBytes = 8 << 20;
  const writing = server.write(new Uint8Array(sizeBytes).fill(7)).then(() => server.close());
  const into = new Uint8Array(65536);
  let received = 0;
  for (;;) {
    const lengthBytes = await client.read(into);
    if (lengthBytes === null) break;
    received += lengthBytes;
  }
  await writing;
  assertEquals(received, sizeBytes);
  client.close();
});

Deno.test("writing to a peer that is gone is told as a reset", async () => {
  const { client, server } = await connPair();
  server.close();
  const error = await assertRejects(async () => {
    for (;;) await client.write(new Uint8Array(1));
  }, ConnError);
  assertEquals(error.kind, "reset");
  client.close();
});

Deno.test("failures are told apart by their code", () => {
  const kindOf = (code: string, closed = false): string =>
    toConnError(Object.assign(new Error("no"), { code }), { closed }).kind;
  assertEquals(kindOf("ECONNRESET"), "reset");
  assertEquals(kindOf("ETIMEDOUT"), "timeout");
  assertEquals(kindOf("EIO"), "other");
  assertEquals(kindOf("ECONNRESET", true), "closed");
});
