import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Conn } from "../../src/net/conn.ts";
import { listen, ListenError } from "../../src/net/listener.ts";

const fails = (error: unknown): never => {
  throw error;
};

Deno.test("a listener hands over each connection", async () => {
  const accepted = Promise.withResolvers<Conn>();
  await using listener = await listen({ address: "127.0.0.1", port: 0 }, {
    onConn: accepted.resolve,
    onError: fails,
  });
  assert(listener.local.port > 0);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.local.port });
  const conn = await accepted.promise;
  assertEquals(conn.local, listener.local);
  client.close();
  conn.close();
});

Deno.test("a stopped listener leaves its connections alone and its address free", async () => {
  const accepted = Promise.withResolvers<Conn>();
  const options = { onConn: accepted.resolve, onError: fails };
  const listener = await listen({ address: "127.0.0.1", port: 0 }, options);
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.local.port });
  const conn = await accepted.promise;
  listener.stop();
  listener.stop();
  await client.write(new Uint8Array([1]));
  assertEquals(await conn.read(new Uint8Array(1)), 1);
  client.close();
  conn.close();
  await listener[Symbol.asyncDispose]();
});

Deno.test("an address in use is named", async () => {
  const options = { onConn: () => {}, onError: fails };
  await using listener = await listen({ address: "127.0.0.1", port: 0 }, options);
  const error = await assertRejects(() => listen(listener.local, options), ListenError);
  assertEquals(error.kind, "address_in_use");
  assertStringIncludes(error.message, `127.0.0.1:${listener.local.port}`);
});

Deno.test("an address of another machine is named", async () => {
  const options = { onConn: () => {}, onError: fails };
  const error = await assertRejects(
    () => listen({ address: "192.0.2.1", port: 0 }, options),
    ListenError,
  );
  assertEquals(error.kind, "address_unavailable");
});

Deno.test("a Unix socket is served, refused while in use and replaced when stale", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  try {
    Deno.listen({ transport: "unix", path }).close(); // leaves the file behind
    const accepted = Promise.withResolvers<Conn>();
    const options = { onConn: accepted.resolve, onError: fails };
    const listener = await listen({ path }, options);
    const error = await assertRejects(
      () => listen({ path }, { ...options, onConn: (conn) => conn.close() }),
      ListenError,
    );
    assertEquals(error.kind, "address_in_use");
    const probe = await accepted.promise; // the second listener looked whether this one lives
    probe.close();
    await listener[Symbol.asyncDispose]();
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("running out of descriptors pauses accepting and is reported once", async () => {
  // In a process of its own, which is given few descriptors.
  const script = new URL("../support/listener_emfile.ts", import.meta.url).pathname;
  const command = `ulimit -n 64; exec "$0" run --quiet --no-lock --allow-net ${script}`;
  const output = await new Deno.Command("sh", { args: ["-c", command, Deno.execPath()] }).output();
  const text = new TextDecoder().decode(output.stdout);
  assertEquals(
    text,
    "reported EMFILE\naccepted after the shortage\n",
    new TextDecoder().decode(output.stderr),
  );
});
