import { assert, assertEquals } from "@std/assert";
import { describeFailure, dial, type DialTarget } from "../../src/net/dial.ts";

const timeoutMs = 5000;

/** A port on which nothing listens. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("dial connects", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const result = await dial({ address: "127.0.0.1", port: listener.addr.port }, { timeoutMs });
  assert(result.kind === "connected");
  assertEquals(result.conn.remote, { address: "127.0.0.1", port: listener.addr.port });
  using peer = await listener.accept();
  await result.conn.write(new Uint8Array([1]));
  assertEquals(await peer.read(new Uint8Array(4)), 1);
  result.conn.close();
});

Deno.test("dial tells a refusal", async () => {
  const result = await dial({ address: "127.0.0.1", port: closedPort() }, { timeoutMs });
  assertEquals(result.kind, "refused");
});

Deno.test("dial gives up when its signal aborts", async () => {
  const target = { address: "127.0.0.1", port: closedPort() };
  const result = await dial(target, { timeoutMs, signal: AbortSignal.abort() });
  assertEquals(result.kind, "aborted");
});

Deno.test("a connection that comes when its time is over is closed", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const { connect } = Deno;
  Deno.connect = (async (options: Deno.ConnectOptions) => {
    const socket = await connect(options);
    controller.abort();
    return socket;
  }) as typeof connect;
  try {
    const target = { address: "127.0.0.1", port: listener.addr.port };
    const { signal } = controller;
    assertEquals((await dial(target, { timeoutMs, signal })).kind, "aborted");
  } finally {
    Deno.connect = connect;
  }
  using peer = await listener.accept();
  assertEquals(await peer.read(new Uint8Array(1)), null);
});

Deno.test("dial connects from a given address of this machine", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = { address: "127.0.0.1", port: listener.addr.port, localAddress: "127.0.0.2" };
  const [result, peer] = await Promise.all([dial(target, { timeoutMs }), listener.accept()]);
  assert(result.kind === "connected");
  assertEquals(result.conn.local.address, "127.0.0.2");
  assertEquals(peer.remoteAddr.hostname, "127.0.0.2");

  await result.conn.write(new Uint8Array([1, 2]));
  const into = new Uint8Array(4);
  assertEquals(await peer.read(into), 2);
  await peer.write(new Uint8Array(3));
  assertEquals(await result.conn.read(into.subarray(0, 2)), 2);
  assertEquals(await result.conn.read(into), 1);
  peer.close();
  assertEquals(await result.conn.read(into), null);
  result.conn.close();
});

Deno.test("dial tells a source address that is not on this machine", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const target = { address: "127.0.0.1", port: listener.addr.port, localAddress: "192.0.2.9" };
  assertEquals((await dial(target, { timeoutMs })).kind, "local_address");
});

Deno.test("dial tells a refusal from a given address", async () => {
  const target = { address: "127.0.0.1", port: closedPort(), localAddress: "127.0.0.2" };
  assertEquals((await dial(target, { timeoutMs })).kind, "refused");
});

Deno.test("dial reaches a Unix socket and tells a missing one", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  try {
    assertEquals((await dial({ path }, { timeoutMs })).kind, "unreachable");
    using listener = Deno.listen({ transport: "unix", path });
    const [result, peer] = await Promise.all([dial({ path }, { timeoutMs }), listener.accept()]);
    assert(result.kind === "connected");
    assertEquals(result.conn.remote, { address: path, port: 0 });
    result.conn.close();
    peer.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const TCP: DialTarget = { address: "192.0.2.1", port: 25 };
const FROM: DialTarget = { ...TCP, localAddress: "192.0.2.9" };
const UNIX: DialTarget = { path: "/run/lmtp" };

/** What the system's codes come to, by what was connected to. */
const FAILURES: readonly [code: string, target: DialTarget, kind: string][] = [
  ["EACCES", TCP, "prohibited"],
  ["EPERM", TCP, "prohibited"],
  ["EACCES", UNIX, "prohibited"],
  ["EADDRNOTAVAIL", TCP, "unreachable"],
  ["EADDRNOTAVAIL", FROM, "local_address"],
  ["EAFNOSUPPORT", TCP, "unreachable"],
  ["EHOSTUNREACH", FROM, "unreachable"],
  ["EMFILE", TCP, "exhausted"],
  ["ENFILE", UNIX, "exhausted"],
  ["ENOBUFS", TCP, "exhausted"],
  ["ENOMEM", FROM, "exhausted"],
  ["EAGAIN", TCP, "exhausted"],
  ["EAGAIN", UNIX, "refused"],
  ["EINVAL", TCP, "other"],
  ["", TCP, "other"],
];

for (const [code, target, kind] of FAILURES) {
  const what = "path" in target ? "a path" : target.localAddress ?? "no source of our choice";
  Deno.test(`${code || "an error without a code"} with ${what} is ${kind}`, () => {
    const cause = Object.assign(new Error("EMFILE EACCES permission denied"), { code });
    assertEquals(describeFailure(cause, target).kind, kind);
  });
}

Deno.test("only the runtime's own refusal is a lack of permission", () => {
  const refused = new Deno.errors.NotCapable("Requires net access");
  assertEquals(describeFailure(refused, TCP).kind, "not_permitted");
  const prohibited = Object.assign(new Deno.errors.PermissionDenied("os"), { code: "EACCES" });
  assertEquals(describeFailure(prohibited, TCP).kind, "prohibited");
});
