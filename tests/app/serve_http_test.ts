import { assert, assertEquals, assertRejects } from "@std/assert";
import { createAdminApp } from "../../src/admin/app.ts";
import { adminClient } from "../../src/admin/client.ts";
import { type App, serveHttp } from "../../src/app/serve_http.ts";
import { ListenError } from "../../src/net/listener.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { messageOf } from "../queue/messages.ts";
import { tempFolder } from "../support/peers.ts";
import { readAll } from "../support/read_all.ts";
import { adminSetup } from "../admin/app_setup.ts";

const NO_EVENTS = { events: () => {} };
const CAPS = { maxConnections: 50, maxConnectionsPerAddress: 50 };
const SERVED = { what: "the admin API", component: "admin" };
const ANYWHERE = { address: "127.0.0.1", port: 0 };

function serve(app: App, options: Partial<Parameters<typeof serveHttp>[1]> = {}) {
  return serveHttp(app, { at: ANYWHERE, caps: CAPS, served: SERVED, ...NO_EVENTS, ...options });
}

Deno.test("the typed client speaks to a served app", async () => {
  await using admin = await adminSetup();
  await admin.ports.store.put(messageOf(1));
  const { secret } = await admin.ports.keys.create({
    ...{ name: "cli", role: "operator", expiresAtMs: null, by: "test" },
  });
  const app = createAdminApp(admin.ports, { ...NO_EVENTS, openOnLoopback: false });
  await using server = await serve(app);
  assert("port" in server.local);
  const origin = `http://127.0.0.1:${server.local.port}`;

  const stranger = await adminClient(origin).messages.$get({ query: {} });
  assertEquals(stranger.status as number, 401);
  await stranger.body?.cancel();

  const client = adminClient(origin, { key: secret });
  const listed = await client.messages.$get({ query: { domain: "dest.example" } });
  const { items } = await listed.json();
  assertEquals(items.map(({ message }) => message.id), [messageOf(1).id]);
  const held = await client.messages.actions[":action"].$post({
    param: { action: "hold" },
    query: { dry_run: "true" },
    json: { filter: { domain: "dest.example" } },
  });
  assert(held.ok);
  assertEquals((await held.json()).matching, 1);
});

Deno.test("a Unix socket is an alternative that only its owner can open", async () => {
  await using admin = await adminSetup({ openOnLoopback: false });
  await using folder = await tempFolder();
  const path = `${folder.path}/admin.sock`;
  const app = createAdminApp(admin.ports, { ...NO_EVENTS, openOnLoopback: false });
  for (let round = 0; round < 2; round++) {
    await using _server = await serve(app, { at: { path } });
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
    const response = await fetch("http://posthouse/api/v1/me", { client });
    assertEquals((await response.json()).name, "local socket");
  }
});

Deno.test("an address that is taken is told by a typed error", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const at = { address: "127.0.0.1", port: taken.addr.port };
  const error = await assertRejects(
    () => serve({ fetch: () => new Response() }, { at }),
    ListenError,
  );
  assertEquals(error.kind, "address_in_use");
});

Deno.test("stopping ends streams with the feed and does not wait for slow readers", async () => {
  await using admin = await adminSetup();
  const app = createAdminApp(admin.ports, { ...NO_EVENTS, openOnLoopback: true });
  const server = await serve(app);
  assert("port" in server.local);
  const response = await fetch(`http://127.0.0.1:${server.local.port}/api/v1/events`);
  const reader = response.body?.getReader();
  await reader?.read();
  const startedMs = performance.now();
  admin.ports.feed.end();
  const rest = reader?.read();
  await server[Symbol.asyncDispose]();
  assertEquals((await rest)?.done, true);
  assert(performance.now() - startedMs < 900, "it waited for the grace period");
});

Deno.test("a host that is none is the client's mistake, and no line of the log", async () => {
  const events: RelayEvent[] = [];
  await using server = await serve({ fetch: ({ url }) => new Response(new URL(url).host) }, {
    events: (event) => void events.push(event),
  });
  assert("port" in server.local);
  for (const [host, status] of [["a b", 400], ["[::1", 400], ["relay.test", 200]] as const) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.local.port });
    const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await conn.write(new TextEncoder().encode(request));
    const answer = await readAll(conn);
    assertEquals(answer.slice(0, 12), `HTTP/1.1 ${status}`, host);
  }
  assertEquals(events, []);
});
