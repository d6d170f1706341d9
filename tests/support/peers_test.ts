import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  findPeer,
  freePort,
  havePeer,
  haveTlsPeer,
  runPeer,
  startPeer,
  tempFolder,
  waitForPort,
} from "./peers.ts";

Deno.test("peers: finds a program and knows when there is none", () => {
  assertMatch(findPeer("sh") ?? "", /\/sh$/);
  assert(havePeer("sh"));
  assertEquals(findPeer("no-such-program"), null);
  assertThrows(() => startPeer("no-such-program"), Error, "not installed");
});

Deno.test("peers: a program that is not asked about TLS is a mistake of the test", async () => {
  if (Deno.env.get("CI") === "true") return;
  await assertRejects(() => haveTlsPeer("sh"), Error, "nothing is known");
});

Deno.test("peers: gives input, collects output and status", async () => {
  const result = await runPeer("sh", {
    args: ["-c", "cat; echo $WORD >&2; exit 3"],
    env: { WORD: "beside" },
    stdin: "through\n",
  });
  assertEquals(result, { code: 3, signal: null, stdout: "through\n", stderr: "beside\n" });
});

Deno.test("peers: waits for output", async () => {
  await using peer = startPeer("sh", { args: ["-c", "echo port=42; exec sleep 600"] });
  const match = await peer.waitForOutput(/port=(\d+)/);
  assertEquals(match[1], "42");
});

Deno.test("peers: says so when a program ends without the expected output", async () => {
  await using peer = startPeer("sh", { args: ["-c", "echo no such luck"] });
  await assertRejects(() => peer.waitForOutput(/port=/), Error, "no such luck");
});

Deno.test("peers: disposing kills the process", async () => {
  const peer = startPeer("sh", { args: ["-c", "echo up; exec sleep 600"] });
  await peer.waitForOutput(/up/);
  await peer[Symbol.asyncDispose]();
  assertEquals((await peer.ended).signal, "SIGKILL");
  peer.kill("SIGTERM");
});

Deno.test("peers: input that is not read is no error", async () => {
  const result = await runPeer("true", { stdin: new Uint8Array(1 << 20) });
  assertEquals(result.code, 0);
});

Deno.test("peers: a port that nobody listens on is an error after the time-out", async () => {
  const port = freePort();
  await assertRejects(() => waitForPort(port, { timeoutMs: 5 }), Error, "nothing listens");
});

Deno.test("peers: waits for a port", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  await waitForPort(listener.addr.port);
  (await accepted).close();
});

Deno.test("peers: a temporary folder goes with its contents", async () => {
  let path: string;
  {
    await using folder = await tempFolder();
    path = folder.path;
    await Deno.writeTextFile(`${path}/file`, "");
  }
  await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
});
