import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
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

Deno.test("an invalid config is told", async () => {
  const files = { "posthouse.toml": "x = 1\n" };
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
      ...["run", "--quiet", "--no-prompt", `--config=${PROJECT}`, ...out.trim().split(" ")],
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
