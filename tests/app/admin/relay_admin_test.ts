import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { adminClient } from "../../../src/admin/client.ts";
import { type Relay, startRelay } from "../../../src/app.ts";
import { loadConfig, type LoadResult } from "../../../src/config/load.ts";
import { ListenError } from "../../../src/net/listener.ts";
import type { RelayEvent } from "../../../src/observe/events.ts";
import { tempFolder } from "../../support/peers.ts";

/** Loads a config whose text may change before the next time. */
function loader(source: { text: string }): () => Promise<LoadResult> {
  return () =>
    loadConfig({
      path: "posthouse.toml",
      env: () => undefined,
      readFile: () => Promise.resolve(source.text),
      systemHostname: "relay.test",
    });
}

function configText(folder: string, admin: string): string {
  return `
    data_dir = "${folder}/data"
    listeners = [{ name = "smtp", port = 0 }]
    transports.out = { type = "smarthost", hosts = ["127.0.0.1:1"] }
    [[routes]]
    name = "example"
    match = { recipient_domain = ["*.example"] }
    transports = ["out"]
    [admin]
    ${admin}
    ${/open_on_loopback/.test(admin) ? "" : "open_on_loopback = true"}
  `;
}

/** A relay in this process. */
interface TestRelay extends AsyncDisposable {
  readonly relay: Relay;
  readonly origin: string;
  readonly events: RelayEvent[];
  readonly source: { text: string };
}

async function runRelay(folder: string, admin = "port = 0"): Promise<TestRelay> {
  const source = { text: configText(folder, admin) };
  const load = loader(source);
  const loaded = await load();
  assert(loaded.kind === "ok", JSON.stringify(loaded));
  const { file, effective, config } = loaded;
  const events: RelayEvent[] = [];
  const relay = await startRelay(config, {
    events: (event) => void events.push(event),
    loaded: { file, effective, load },
  });
  const { admin: local } = relay;
  return {
    ...{ relay, events, source },
    origin: local !== null && "port" in local ? `http://127.0.0.1:${local.port}` : "",
    [Symbol.asyncDispose]: () => relay.stop(),
  };
}

Deno.test("a relay answers for its parts", async () => {
  await using folder = await tempFolder();
  await using running = await runRelay(folder.path);
  const client = adminClient(running.origin);
  const status = await (await client.status.$get()).json();
  assert("info" in status);
  assertEquals(status.info.listeners.map(({ name }) => name), ["smtp"]);
  assertEquals(status.health.map(({ name, ok }) => [name, ok]), [
    ["store", true],
    ["disk", true],
    ["listeners", true],
    ["scheduler", true],
  ]);
  const config = await (await client.config.$get()).json();
  assertStringIncludes("toml" in config ? config.toml : "", `[transports.out]`);
  const metrics = await (await fetch(`${running.origin}/metrics`)).text();
  assertStringIncludes(metrics, "posthouse_queue_up 1\n");
});

Deno.test("routes are explained with the state of their transports", async () => {
  await using folder = await tempFolder();
  await using running = await runRelay(folder.path);
  const client = adminClient(running.origin);
  const explain = async (to: string) => {
    const response = await client.routes.explain.$get({ query: { to } });
    const answer = await response.json();
    assert("steps" in answer);
    return answer;
  };
  const found = await explain("user@Mail.Example");
  assertEquals(found.route, "example");
  assertEquals(found.steps[0]?.reason, "the recipient's domain mail.example matches");
  assertEquals(found.transports[0]?.destination, "127.0.0.1:1");
  await client.transports[":name"].pause.$post({
    param: { name: "out" },
    json: { reason: "maintenance" },
  });
  const paused = await explain("user@mail.example");
  assertEquals(paused.transports[0]?.state, "paused");
  assertEquals(paused.transports[0]?.reason, "maintenance");
  const lost = await explain("user@example.net");
  assertEquals(lost.route, null);
  assertEquals(
    lost.steps[0]?.reason,
    "the recipient's domain example.net is none of *.example",
  );
});

Deno.test("a message of an operator is queued, tried, shown and cancelled", async () => {
  await using folder = await tempFolder();
  await using running = await runRelay(folder.path);
  const client = adminClient(running.origin);
  const sent = await client.messages.$post({
    json: { from: "ops@a.example", to: ["you@b.example"], subject: "Test", text: "Hello" },
  });
  const { id } = await sent.json() as { id: string };
  const events = await fetch(`${running.origin}/api/v1/events?after=0&type=destination_down`);
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; !text.includes("event: destination_down");) {
    text += (await reader?.read())?.value ?? "";
  }
  await reader?.cancel();
  const destinations = await (await client.destinations.$get({ query: {} })).json();
  assert("items" in destinations);
  assertEquals(destinations.items[0]?.state, "down");
  assertStringIncludes(destinations.items[0]?.lastError?.text ?? "", "efused");
  const cancelled = await client.messages[":id"].actions[":action"].$post({
    param: { id, action: "cancel" },
    query: {},
  });
  assertEquals(cancelled.status, 200);
  const detail = await (await client.messages[":id"].$get({ param: { id } })).json();
  assert("message" in detail);
  assertEquals(detail.message.origin.protocol, "HTTP");
  assertEquals(detail.recipients[0]?.state, "cancelled");
  assertEquals(detail.timeline.at(-1)?.detail, { by: "this machine" });
});

Deno.test("a reload from the API uses the new configuration or says what is wrong", async () => {
  await using folder = await tempFolder();
  await using running = await runRelay(folder.path);
  const client = adminClient(running.origin);
  running.source.text = running.source.text.replace(`name = "example"`, `name = "renamed"`);
  const reloaded = await client.config.reload.$post();
  assertEquals(await reloaded.json(), { kind: "reloaded", problem: null });
  const routes = await (await client.routes.$get()).json();
  assertEquals("items" in routes ? routes.items[0]?.name : "", "renamed");
  running.source.text += "\nodd = 1";
  const refused = await client.config.reload.$post();
  assertEquals(refused.status as number, 422);
  await refused.body?.cancel();
});

Deno.test("the config page says that the file has changed, or is broken, and where", async () => {
  await using folder = await tempFolder();
  await using running = await runRelay(folder.path);
  const client = adminClient(running.origin);
  const page = async (): Promise<string> => await (await fetch(`${running.origin}/config`)).text();
  const file = async (): Promise<unknown> => {
    const answer = await (await client.config.$get()).json();
    return "file" in answer ? answer.file : answer;
  };
  const good = running.source.text;
  assertEquals(await file(), { kind: "same", problems: [] });
  assert(!(await page()).includes("The file has"));
  running.source.text = good.replace(`name = "example"`, `name = "other"`);
  assertEquals(await file(), { kind: "changed", problems: [] });
  assertStringIncludes(await page(), "The file has changed since it was read.");
  running.source.text = `${good}\nprot = 1`;
  const broken = await page();
  assertStringIncludes(broken, "The file has errors, so the relay keeps the configuration below.");
  assertStringIncludes(broken, "admin.prot: expected one of");
  assertStringIncludes(broken, "example"); // what is in force
  running.source.text = good;
  assertEquals(await file(), { kind: "same", problems: [] });
});

Deno.test("a reload can move the admin API and close it, while it is asked to", async () => {
  await using folder = await tempFolder();
  await using running = await runRelay(folder.path);
  const before = running.origin;
  running.source.text = configText(folder.path, `port = 0\nsession_lifetime = "1h"`);
  assertEquals((await adminClient(before).config.reload.$post()).status, 200);
  const path = `${folder.path}/admin.sock`;
  running.source.text = configText(folder.path, `socket = "${path}"`);
  const moved = await adminClient(before).config.reload.$post();
  assertEquals(moved.status, 200);
  await moved.body?.cancel();
  assertEquals(running.relay.admin, { path });
  running.source.text = configText(folder.path, `enabled = false`);
  await running.relay.reloadSource({ by: "test" });
  assertEquals(running.relay.admin, null);
});

Deno.test("beyond this machine nobody is let in who could not be told apart", async () => {
  await using folder = await tempFolder();
  const wide = `address = "0.0.0.0"\nport = 0`;
  const error = await assertRejects(() => runRelay(folder.path, wide), ListenError);
  assertStringIncludes(error.message, "no user or key exists");
  const token = `tokens = [{ name = "ops", role = "admin", token = "a-token-of-twenty-chars" }]`;
  await using running = await runRelay(folder.path, `${wide}\n${token}`);
  const stranger = await adminClient(running.origin).me.$get();
  assertEquals(stranger.status as number, 401);
  await stranger.body?.cancel();
  const client = adminClient(running.origin, { key: "a-token-of-twenty-chars" });
  assertEquals((await (await client.me.$get()).json() as { name: string }).name, "ops");
  const config = await (await client.config.$get()).json();
  assert(!JSON.stringify(config).includes("a-token-of-twenty-chars"));
});

Deno.test("without credentials and not open, the relay warns that nobody can sign in", async () => {
  await using folder = await tempFolder();
  await using running = await runRelay(folder.path, "port = 0\nopen_on_loopback = false");
  assert(
    running.events.some((event) =>
      event.type === "trouble" && event.message.startsWith("No user or key exists")
    ),
  );
});

Deno.test("the command line signs in with the key in the data folder, and nobody else with nothing", async () => {
  await using folder = await tempFolder();
  const running = await runRelay(folder.path, "port = 0\nopen_on_loopback = false");
  const path = `${folder.path}/data/local.key`;
  const key = (await Deno.readTextFile(path)).trim();
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  assertEquals((await adminClient(running.origin).me.$get()).status, 401);
  const me = await adminClient(running.origin, { key }).me.$get();
  assertEquals(me.status, 200);
  assertEquals((await me.json() as { role: string }).role, "admin");
  await running.relay.stop();
  await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
});
