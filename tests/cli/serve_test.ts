import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startDestination } from "../../src/cli/demo/destination.ts";
import { tempFolder } from "../support/peers.ts";
import { run, start, type World } from "./support.ts";

const LISTENING = /"type":"listening".*"address":"127\.0\.0\.1:(\d+)"/;

function configOf(folder: string, more = ""): string {
  return `data_dir = "${folder}/data"\nadmin = { enabled = false }\n` +
    `[[listeners]]\nname = "smtp"\nport = 0\n${more}`;
}

Deno.test("serve relays until SIGTERM", async () => {
  await using folder = await tempFolder();
  await using destination = await startDestination();
  const transport =
    `[transports.out]\ntype = "smarthost"\nhosts = ["127.0.0.1:${destination.port}"]`;
  const world: World = { files: { "posthouse.toml": configOf(folder.path, transport) } };
  const relay = start(["serve"], world);
  const port = (await relay.waitForOutput(LISTENING))[1];
  const sent = await run(["send", "-g", "-q", "--to", "a@b.example", "-s", `127.0.0.1:${port}`]);
  assertEquals(sent.code, 0);
  await relay.waitForOutput(/"type":"delivered"/);
  assertEquals((await run(["queue", "list"], world)).out, "No messages.\n");
  relay.signal("SIGTERM");
  const { code, out, err } = await relay.finished;
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, `"type":"stopped"`);
});

Deno.test("a rejection that nobody handled is logged as a defect, and the relay goes on", async () => {
  await using folder = await tempFolder();
  const relay = start(["serve"], { files: { "posthouse.toml": configOf(folder.path) } });
  await relay.waitForOutput(/"type":"started"/);
  relay.defect(new Error("made to fail"));
  await relay.waitForOutput(/"level":"error".*Internal error.*made to fail/);
  relay.signal("SIGTERM");
  assertEquals((await relay.finished).code, 0);
});

Deno.test("a rejection that nobody handled ends no process that listens for it", async () => {
  const url = new URL("../../src/cli/system_io.ts", import.meta.url).href;
  const code = `import { systemIo } from "${url}";
    const heard = Promise.withResolvers();
    const ignore = systemIo().onDefect(({ message }) => heard.resolve(message));
    Promise.reject(new Error("one"));
    console.log("heard", await heard.promise);
    ignore();
    console.log("alive");
    Promise.reject(new Error("two"));`;
  const { code: status, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
  }).output();
  assertEquals([status, new TextDecoder().decode(stdout)], [1, "heard one\nalive\n"]);
});

Deno.test("serve is the default command", async () => {
  await using folder = await tempFolder();
  const relay = start([], { files: { "posthouse.toml": configOf(folder.path) } });
  await relay.waitForOutput(/"type":"started"/);
  relay.signal("SIGINT");
  assertEquals((await relay.finished).code, 0);
});

Deno.test("serve logs text on a terminal", async () => {
  await using folder = await tempFolder();
  const relay = start(["serve"], {
    files: { "posthouse.toml": configOf(folder.path) },
    terminals: ["stdout"],
    env: { NO_COLOR: "1" },
  });
  await relay.waitForOutput(/127\.0\.0\.1/);
  relay.signal("SIGTERM");
  const { out } = await relay.finished;
  assertEquals(out.includes("{"), false);
  assertEquals(out.includes("\x1b"), false);
});

Deno.test("serve with an invalid config prints the problems and exits with 2", async () => {
  const { code, out, err } = await run(["serve"], { files: { "posthouse.toml": "x = 1\n" } });
  assertEquals([code, out], [2, ""]);
  assertMatch(err, /^posthouse\.toml:1:1: x: expected one of .*\n1 problem in the configuration/);
});

Deno.test("serve tells that its port is taken", async () => {
  await using folder = await tempFolder();
  await using destination = await startDestination();
  const source = configOf(folder.path).replace("port = 0", `port = ${destination.port}`);
  const { code, err } = await run(["serve"], { files: { "posthouse.toml": source } });
  assertEquals(code, 1);
  assertStringIncludes(err, `Cannot listen on 127.0.0.1:${destination.port}: `);
});

Deno.test("serve tells that another relay has its folder", async () => {
  await using folder = await tempFolder();
  const world: World = { files: { "posthouse.toml": configOf(folder.path) } };
  const relay = start(["serve"], world);
  await relay.waitForOutput(/"type":"started"/);
  const second = await run(["serve"], world);
  assertEquals(second.code, 1);
  assertStringIncludes(second.err, "another relay works on this folder");
  relay.signal("SIGTERM");
  assertEquals((await relay.finished).code, 0);
});

Deno.test("SIGHUP reloads, and a mistake leaves everything as it was", async () => {
  await using folder = await tempFolder();
  const files: Record<string, string> = { "posthouse.toml": configOf(folder.path) };
  const relay = start(["serve"], { files });
  const port = (await relay.waitForOutput(LISTENING))[1];

  files["posthouse.toml"] = configOf(folder.path, "[limits]\nerors = 1\n");
  relay.signal("SIGHUP");
  await relay.waitForOutput(/the previous one stays in force/);

  files["posthouse.toml"] = configOf(folder.path, `[limits]\nmessage_size = "64KiB"\n`);
  relay.signal("SIGHUP");
  await relay.waitForOutput(/"type":"reloaded"/);
  const { out } = await run([
    ...["send", "--generate", "--size", "100000", "--to", "a@b.example"],
    ...["--server", `127.0.0.1:${port}`, "--json"],
  ]);
  assertMatch(out, /"reply": "552 5\.3\.4 /);

  relay.signal("SIGTERM");
  const finished = await relay.finished;
  assertEquals(finished.code, 0);
  assertStringIncludes(finished.out, "limits.erors: expected one of");
});
