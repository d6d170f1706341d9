import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type AdminClient, adminClient } from "../../../src/admin/client.ts";
import { startRelay } from "../../../src/app.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { RelayEvent } from "../../../src/observe/events.ts";
import { tempFolder } from "../../support/peers.ts";
import { type RecordingSink, startRecordingSink } from "../../support/recording_sink.ts";

/** A relay whose only route leads nowhere, with another transport that works. */
interface Setup extends AsyncDisposable {
  readonly client: AdminClient;
  readonly sink: RecordingSink;
  /** Resolves with the first event of a kind from the start on. */
  first(type: RelayEvent["type"]): Promise<RelayEvent>;
}

async function setUp(): Promise<Setup> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await tempFolder());
  const sink = cleanup.use(startRecordingSink());
  const loaded = await loadConfig({
    path: "test.toml",
    env: () => undefined,
    readFile: () =>
      Promise.resolve(`
        hostname = "relay.example"
        data_dir = ${JSON.stringify(`${folder.path}/data`)}
        listeners = [{ name = "smtp", port = 0 }]
        transports.dead = { type = "smarthost", hosts = ["127.0.0.1:1"] }
        transports.works = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
        routes = [{ name = "all", transports = ["dead"] }]
        admin = { port = 0, open_on_loopback = true }`),
    systemHostname: "localhost",
  });
  assert(loaded.kind === "ok", JSON.stringify(loaded));
  const waiting = new Map<string, PromiseWithResolvers<RelayEvent>>();
  const entryOf = (type: string): PromiseWithResolvers<RelayEvent> => {
    const entry = waiting.get(type) ?? Promise.withResolvers<RelayEvent>();
    waiting.set(type, entry);
    return entry;
  };
  const relay = await startRelay(loaded.config, {
    events: (event) => entryOf(event.type).resolve(event),
  });
  cleanup.defer(() => relay.stop());
  const { admin } = relay;
  assert(admin !== null && "port" in admin);
  const client = adminClient(`http://127.0.0.1:${admin.port}`);
  const moved = cleanup.move();
  return {
    ...{ client, sink, first: (type) => entryOf(type).promise },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

Deno.test("mail that waits for a dead way leaves at once by the one it is rerouted to", async () => {
  await using relay = await setUp();
  const json = { from: "me@relay.example", to: ["you@dest.example"], subject: "Hi", text: "x" };
  const { id } = await (await relay.client.messages.$post({ json })).json() as { id: string };
  await relay.first("destination_down");
  await relay.first("deferred");
  const rerouted = await relay.client.messages[":id"].actions.reroute.$post({
    ...{ param: { id }, query: {} },
    json: { transport: "works" },
  });
  assertEquals(rerouted.status, 200);
  const delivered = await relay.first("delivered");
  assert(delivered.type === "delivered");
  assertEquals([delivered.transport, delivered.messageId], ["works", id]);
  assertEquals(relay.sink.messages.length, 1);
});

Deno.test("a test message takes the transport that is asked for, and tells what became of it", async () => {
  await using relay = await setUp();
  const response = await relay.client.transports[":name"].test.$post({
    param: { name: "works" },
    json: { to: "you@dest.example" },
  });
  assertEquals(response.status, 201);
  const delivered = await relay.first("delivered");
  assert(delivered.type === "delivered");
  assertEquals(delivered.transport, "works");
  assert((delivered.durationMs ?? -1) >= 0);
  const { items } = await (await relay.client.destinations.$get({ query: {} })).json() as {
    items: { transport: string; latency: { attempts: number } | null }[];
  };
  assertEquals(items.find(({ transport }) => transport === "works")?.latency?.attempts, 1);
  const [message] = relay.sink.messages;
  const text = new TextDecoder().decode(message?.data);
  assertStringIncludes(text, "Subject: Test of works by relay.example");
});
