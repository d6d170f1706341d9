import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { freePort, tempFolder } from "../../support/peers.ts";
import { run, start } from "../support.ts";
import { startTestRelay } from "./running_relay.ts";

Deno.test("transports are listed, paused, resumed and reset", async () => {
  await using relay = await startTestRelay();
  await relay.send("you@example.org");
  const { code, out } = await relay.run(["transports", "list"]);
  assertEquals(code, 0);
  assertMatch(out, /^TRANSPORT +KIND +STATE +RUNNING +DELIVERED/);
  assertMatch(out, /^out +smarthost +up +\d+ +1 +0 +0$/m);
  const paused = await relay.run(["transports", "pause", "out", "--for", "2h", "--reason", "work"]);
  assertEquals(paused, { code: 0, out: "Paused out.\n", err: "" });
  const { items } = JSON.parse((await relay.run(["transports", "list", "--json"])).out);
  assertEquals([items[0].state, items[0].pause.reason], ["paused", "work"]);
  assertMatch((await relay.run(["transports", "list"])).out, /paused, in 1h .*: work$/m);
  assertEquals((await relay.run(["transports", "resume", "out"])).out, "Resumed out.\n");
  assertEquals((await relay.run(["transports", "reset", "out"])).out, "Reset out.\n");
});

Deno.test("a test message is sent by a transport", async () => {
  await using relay = await startTestRelay();
  const tail = relay.start(["tail", "--type", "delivered"]);
  const sent = await relay.run(["transports", "test", "out", "--to", "you@example.org"]);
  assertMatch(sent.out, /^Queued as \w{16}; see posthouse queue show/);
  await tail.waitForOutput(/you@example\.org/);
  tail.signal("SIGINT");
  await tail.finished;
  assertEquals((await relay.run(["transports", "test", "out"])).code, 2);
});

Deno.test("what the relay refuses is told in one line", async () => {
  await using relay = await startTestRelay();
  const unknown = await relay.run(["transports", "pause", "nowhere"]);
  assertEquals([unknown.code, unknown.err], [
    1,
    `The relay at ${relay.url} refused the request: Not found.\n`,
  ]);
  const calm = await relay.run(["destinations", "resume", "example.net"]);
  assertMatch(
    calm.err,
    /refused the request: The current state does not allow this: It is not paused\.+\n$/,
  );
  assertEquals((await relay.run(["transports", "pause"])).code, 2);
});

Deno.test("destinations are paused, resumed and flushed", async () => {
  await using relay = await startTestRelay();
  assertEquals((await relay.run(["destinations", "pause", "example.net"])).code, 0);
  const { out } = await relay.run(["destinations", "list"]);
  assertMatch(out, /^example\.net +resumed /m);
  assertEquals((await relay.run(["destinations", "resume", "example.net"])).code, 0);
  const flushed = await relay.run(["destinations", "flush", "example.net"]);
  assertEquals(flushed.out, "0 messages became due.\n");
  const json = await relay.run(["destinations", "list", "--state", "down", "--json"]);
  assertEquals(JSON.parse(json.out).total, 0);
});

Deno.test("webhooks are listed with what they answered, and told again", async () => {
  const answered = Promise.withResolvers<void>();
  await using receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    answered.resolve();
    return new Response(null, { status: 204 });
  });
  const url = `http://127.0.0.1:${receiver.addr.port}/in`;
  await using relay = await startTestRelay(`webhooks = [{ name = "shop", url = "${url}" }]`);
  await relay.send("you@example.org");
  await answered.promise;
  const listed = await relay.run(["webhooks"]);
  assertMatch(listed.out, new RegExp(`^shop +\\d+ .* ${url}`, "m"));
  const replayed = await relay.run(["webhooks", "replay", "shop", "--since", "1h"]);
  assertMatch(replayed.out, /^Events since .*Z are sent to shop again\.$/m);
  assertEquals((await relay.run(["webhooks", "log"])).code, 0);
  assertEquals((await relay.run(["webhooks", "replay", "shop"])).code, 2);
  assertEquals((await relay.run(["webhooks", "replay", "other", "--since", "1h"])).code, 1);
});

Deno.test("reload tells whether the config holds, or what is wrong with it", async () => {
  await using folder = await tempFolder();
  const file = `${folder.path}/posthouse.toml`;
  const text = `data_dir = "${folder.path}/data"\nlisteners = [{ name = "smtp", port = 0 }]\n` +
    `admin.port = ${freePort()}\nadmin.open_on_loopback = true\n`;
  await Deno.writeTextFile(file, text);
  const relay = start(["serve", "--config", file]);
  await relay.waitForOutput(/"started"/);
  const reloaded = await run(["reload", "--config", file]);
  assertEquals([reloaded.code, reloaded.out], [0, "Reloaded the config.\n"]);
  await Deno.writeTextFile(file, `${text}queue.expre = 1\n`);
  const { port } = new URL(`http://localhost:${/admin.port = (\d+)/.exec(text)?.[1]}`);
  const wrong = await run(["reload", "--url", `http://127.0.0.1:${port}`]);
  assertEquals(wrong.code, 1);
  assertMatch(wrong.err, /queue\.expre/);
  relay.signal("SIGTERM");
  assertEquals((await relay.finished).code, 0);
});

Deno.test("a relay without a config file has nothing to reload", async () => {
  await using relay = await startTestRelay();
  const { code, err } = await relay.run(["reload"]);
  assertEquals(code, 1);
  assertMatch(err, /^The relay at .* refused the request: /);
});

Deno.test("what was changed is told to programs too", async () => {
  await using relay = await startTestRelay();
  const json = async (...args: string[]) => JSON.parse((await relay.run([...args, "--json"])).out);
  assertEquals(await json("transports", "pause", "out"), { transport: "out" });
  assertEquals(await json("destinations", "pause", "a.example"), {
    ...{ domain: "a.example", isPaused: true },
  });
  assertEquals(await json("destinations", "flush", "a.example"), {
    ...{ domain: "a.example", messages: 0 },
  });
  assertEquals(await json("suppress", "add", "x@a.example", "--reason", "gone"), {
    ...{ address: "x@a.example", reason: "gone", expiresAtMs: null },
  });
});

Deno.test("explain tells the way of a message", async () => {
  await using relay = await startTestRelay();
  const { code, out } = await relay.run(["explain", "you@example.org"]);
  assertEquals(code, 0);
  assertMatch(out, / fits: /);
  assertMatch(out, /^1\. out \(smarthost\) to .*, up$/m);
  assertEquals((await relay.run(["explain", "nonsense"])).code, 1);
  assertEquals((await relay.run(["explain"])).code, 2);
});

Deno.test("a key from the environment or a flag opens a relay that is closed", async () => {
  const token = "a-token-of-enough-characters";
  await using relay = await startTestRelay(`
    admin.open_on_loopback = false
    admin.tokens = [{ name = "me", role = "admin", token = "${token}" }]`);
  const closed = await relay.run(["transports", "list"]);
  assertEquals(closed.code, 1);
  assertStringIncludes(closed.err, "Credentials are required; set a key with --token");
  assertEquals((await relay.run(["transports", "list", "--token", token])).code, 0);
  const env = { POSTHOUSE_TOKEN: token };
  assertEquals((await relay.run(["transports", "list"], { env })).code, 0);
});

Deno.test("a relay on a Unix socket is found by the config", async () => {
  await using folder = await tempFolder();
  const socket = `${folder.path}/admin.sock`;
  await using _relay = await startTestRelay(`admin.socket = "${socket}"`);
  const files = { "posthouse.toml": `[admin]\nsocket = "${socket}"\n` };
  const { code, out, err } = await run(["transports", "list"], { files });
  assertEquals([code, err], [0, ""]);
  assertMatch(out, /^out +smarthost/m);
});

Deno.test("a relay that does not run is told as such", async () => {
  using free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  const files = { "posthouse.toml": `[admin]\nport = ${port}\n` };
  const { code, err } = await run(["top"], { files });
  assertEquals(code, 1);
  assert(err.startsWith(`Cannot reach the relay at http://127.0.0.1:${port}: `), err);
  assertMatch(err, /Check that it runs, or name another URL with --url\.\n$/);
});

Deno.test("a config that hides the admin API, and a wrong address, are wrong usage", async () => {
  const files = { "posthouse.toml": "[admin]\nenabled = false\n" };
  const off = await run(["top"], { files });
  assertEquals([off.code, off.err], [
    2,
    "The config disables the admin API (admin.enabled = false).\n",
  ]);
  const any = await run(["top"], { files: { "posthouse.toml": "[admin]\nport = 0\n" } });
  assertEquals(any.code, 2);
  assertStringIncludes(any.err, "name it with --url");
  assertEquals((await run(["top", "--url", "nonsense"])).code, 2);
});
