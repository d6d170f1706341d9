import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { RELAY_TYPES } from "../../src/relay/schemas.ts";
import { freePort, startPeer, tempFolder, waitForPort } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { relayConfig } from "../support/relay_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";
import { run, type World } from "./support.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const PROJECT = new URL("../../deno.json", import.meta.url).pathname;

const WORLD: World = {
  files: {
    "/etc/relay.toml": `hostname = "relay.example.net"\ndata_dir = "/srv/mail"\n` +
      `[[listeners]]\nname = "smtp"\nport = 25\n[queue]\ndrain_timeout = "20s"\n`,
  },
};
const CONFIG = ["--config", "/etc/relay.toml"];

Deno.test("init systemd follows the config", async () => {
  const { code, out } = await run(["init", "systemd", ...CONFIG], WORLD);
  assertEquals(code, 0);
  assertMatch(out, /^ExecStart=\/usr\/local\/bin\/posthouse serve --config \/etc\/relay\.toml$/m);
  assertMatch(out, /^ReadWritePaths=\/srv\/mail$/m);
  assertMatch(out, /^TimeoutStopSec=30$/m);
  assertMatch(out, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
  const plain = await run(["init", "systemd"]);
  assertMatch(plain.out, /^AmbientCapabilities=$/m);
  assertEquals(plain.out.includes("ReadWritePaths"), false);
});

Deno.test("init container and compose publish what is listened on", async () => {
  const { out } = await run(["init", "container", ...CONFIG], WORLD);
  assertMatch(out, /^FROM denoland\/deno:\d+\.\d+\.\d+$/m);
  assertMatch(out, /^EXPOSE 25 8025$/m);
  assertStringIncludes(out, `"--allow-write=/srv/mail"`);
  const told = { ...WORLD.files };
  told["/etc/relay.toml"] += `[[provider_events.sources]]\nname = "mg"\n` +
    `provider = "mailgun"\nsigning_key = "key"\n`;
  const open = await run(["init", "container", ...CONFIG], { files: told });
  assertMatch(open.out, /^EXPOSE 25 8025 8026$/m);
  const compose = await run(["init", "compose", ...CONFIG], WORLD);
  assertStringIncludes(compose.out, `- "25:25"`);
  assertStringIncludes(compose.out, "- queue:/srv/mail");
});

Deno.test("a config whose listeners are invalid gives no service", async () => {
  const files = { "posthouse.toml": "listeners = 1\n" };
  assertEquals((await run(["init", "systemd"], { files })).code, 2);
});

Deno.test("the dashboard for Grafana asks for metrics that are documented", async () => {
  const { code, out } = await run(["init", "grafana"]);
  assertEquals(code, 0);
  const { panels } = JSON.parse(out) as { panels: { targets: { expr: string }[] }[] };
  const readme = await Deno.readTextFile(
    new URL("../../src/observe/README.md", import.meta.url),
  );
  const asked = panels.flatMap(({ targets }) => targets).flatMap(({ expr }) =>
    [...expr.matchAll(/(?:posthouse|process)_[a-z_]+/g)].map(([name]) =>
      name.replace(/_bucket$/, "")
    )
  );
  assert(asked.length > 10);
  for (const name of asked) assertStringIncludes(readme, `\`${name}\``);
});

Deno.test("the relay works with the permissions that init prints", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  const config = `${folder.path}/posthouse.toml`;
  const port = freePort();
  const settings = `[admin]\nport = 0`;
  const options = { folder: folder.path, nextHopPort: sink.port, port, settings };
  await Deno.writeTextFile(config, relayConfig(options));
  const { out } = await run(["init", "permissions", "--config", config]);
  await using relay = startPeer(Deno.execPath(), {
    args: [
      ...["run", "--quiet", `--config=${PROJECT}`, ...out.trim().split(" ")],
      ...[MAIN, "serve", "--config", config],
    ],
    cwd: folder.path,
  });
  await waitForPort(port);
  using client = await PlainClient.greet(port);
  const data = sampleMessage({ lines: ["hello"] });
  await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
  await sink.waitForMessages(1, { timeoutMs: 20_000 });
  relay.kill("SIGTERM");
  assertEquals((await relay.ended).code, 0, relay.output().stderr);
});

/** The command that `init` prints, run in its folder with nothing but what it names. */
async function startAsPrinted(
  folder: string,
  { args, env }: { args: readonly string[]; env?: Record<string, string> },
) {
  const file = `${folder}/posthouse.toml`;
  const all = [
    "init",
    "--yes",
    "--output",
    file,
    "--data-dir",
    `${folder}/data`,
    "--json",
    ...args,
  ];
  const made = await run(all, env === undefined ? {} : { env });
  assertEquals([made.code, made.err], [0, ""]);
  assertEquals((await run(["check", "--config", file], env === undefined ? {} : { env })).code, 0);
  const { command } = JSON.parse(made.out) as { command: string[] };
  const [program, subcommand = "", ...rest] = command;
  assertEquals([program, subcommand], ["deno", "run"]);
  const flags = ["--quiet", `--config=${PROJECT}`];
  return startPeer(Deno.execPath(), {
    ...{ args: [subcommand, ...flags, ...rest], cwd: folder },
    ...(env === undefined ? {} : { env }),
  });
}

/** What the command line signs in with. */
async function localKey(folder: string): Promise<{ authorization: string }> {
  const key = await Deno.readTextFile(`${folder}/data/local.key`);
  return { authorization: `Bearer ${key.trim()}` };
}

Deno.test("what init prints starts and relays, with no permission but those it names", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  const [port, adminPort] = [freePort(), freePort()];
  await using relay = await startAsPrinted(folder.path, {
    args: [
      ...["--way", "smarthost", "--smarthost", `127.0.0.1:${sink.port}`, "--port", `${port}`],
      ...["--admin-port", `${adminPort}`, "--hostname", "relay.example.net"],
    ],
  });
  await relay.waitForOutput(/"type":"started"/);
  using client = await PlainClient.greet(port);
  const data = sampleMessage({ lines: ["hello"] });
  await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
  await sink.waitForMessages(1, { timeoutMs: 20_000 });
  for (const path of ["", "queue", "transports", "config", "preflight?domain=sink.test"]) {
    const headers = await localKey(folder.path);
    const response = await fetch(`http://127.0.0.1:${adminPort}/${path}`, { headers });
    await response.body?.cancel();
    assertEquals(response.status, 200, path);
  }
  relay.kill("SIGTERM");
  assertEquals((await relay.ended).code, 0, relay.output().stderr);
  assertEquals(relay.output().stderr.match(/NotCapable|Requires/), null);
});

Deno.test("a relay for tests keeps all mail, and may reach nobody", async () => {
  await using folder = await tempFolder();
  const [port, adminPort] = [freePort(), freePort()];
  await using relay = await startAsPrinted(folder.path, {
    args: ["--for", "staging", "--port", `${port}`, "--admin-port", `${adminPort}`],
  });
  await relay.waitForOutput(/"type":"started"/);
  using client = await PlainClient.greet(port);
  const data = sampleMessage({ lines: ["hello"] });
  await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
  const headers = await localKey(folder.path);
  const response = await fetch(`http://127.0.0.1:${adminPort}/api/v1/messages`, { headers });
  const { items } = await response.json();
  assertEquals(items.length, 1);
  relay.kill("SIGTERM");
  assertEquals((await relay.ended).code, 0, relay.output().stderr);
});

Deno.test("init asks at a terminal, again where an answer is of no use", async () => {
  await using folder = await tempFolder();
  const file = `${folder.path}/posthouse.toml`;
  const typed = ["nothing", "lan", "", "10.1.0.0/16", "2599", "smarthost", "mail.example.net:587"];
  const more = ["relay", "", "", "0"];
  const { code, out, err } = await run(["init", "-o", file], {
    terminals: ["stdin"],
    stdin: [...typed, ...more].join("\n"),
  });
  assertEquals(code, 0, err);
  assertStringIncludes(err, "expected one of app, lan, staging");
  assertStringIncludes(err, "Host name of the relay in the DNS [relay.example.net] ");
  const text = await Deno.readTextFile(file);
  assertEquals((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
  assertStringIncludes(text, `"10.1.0.0/16"`);
  assertStringIncludes(text, `password = { env = "POSTHOUSE_PASSWORD" }`);
  assertStringIncludes(text, "enabled = false");
  assertMatch(out, /^Set before starting:\n {2}POSTHOUSE_PASSWORD$/m);
  assertMatch(out, /--allow-net --allow-read=/); // mail.example.net may be anywhere
});

Deno.test("init does not replace a config, nor write one that is wrong", async () => {
  await using folder = await tempFolder();
  const file = `${folder.path}/posthouse.toml`;
  const args = ["init", "--yes", "-o", file];
  const wrong = await run([...args, "--hostname", "not a name"]);
  assertEquals(wrong.code, 2);
  assertMatch(wrong.err, /hostname: expected .*\n[^]*No config was written\.\n$/);
  const missing = await run([...args, "--way", "smarthost"]);
  assertEquals([missing.code, [...Deno.readDirSync(folder.path)].length], [2, 0]);
  assertStringIncludes(missing.err, "--smarthost");
  assertEquals((await run(args)).code, 0);
  assertEquals(
    (await run(args)).err,
    `${file} already exists. Use --force to replace it.\n`,
  );
  assertEquals((await run([...args, "--force"])).code, 0);
  const { out } = await run(["init", "--yes", "--for", "staging", "-o", "-"]);
  assertStringIncludes(out, `mode = "capture"`);
});

Deno.test("init knows what each HTTP API needs", async () => {
  const values: Record<string, string> = { url: "https://mail.example.net/in", region: "eu-1" };
  for (const type of RELAY_TYPES) {
    const set = new Set<string>();
    for (;;) {
      const args = [...set].flatMap((key) => ["--set", `${key}=${values[key] ?? key}`]);
      const { code, out, err } = await run([
        ...["init", "--yes", "--way", type, "-o", "-", "--json", ...args],
      ]);
      if (code === 0) {
        assertStringIncludes(JSON.parse(out).config, `type = "${type}"`);
        break;
      }
      const [, key] = /--set (\w+)=/.exec(err) ?? [];
      assert(key !== undefined && !set.has(key), `${type}: ${err}`);
      set.add(key);
    }
  }
});

Deno.test("hosts of an HTTP API are the only ones that a relay may reach", async () => {
  const args = ["init", "--yes", "--way", "mailgun", "--set", "domain=mg.example.net", "-o", "-"];
  const { out } = await run([...args, "--json"]);
  const { command, variables } = JSON.parse(out);
  assertStringIncludes(
    command.join(" "),
    " --allow-net=127.0.0.1:2525,127.0.0.1:8025,api.mailgun.net ",
  );
  assertStringIncludes(command.join(" "), ",MAILGUN_API_KEY ");
  assertEquals(variables, ["MAILGUN_API_KEY"]);
});

Deno.test("init and its files are told apart", async () => {
  assert(COMMANDS.some(({ name }) => name === "init"));
  const { code, err } = await run(["init", "systemdd"]);
  assertEquals([code, err], [
    2,
    "Unknown command init systemdd. Did you mean init systemd? See posthouse --help.\n",
  ]);
});
