import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RelayEvent } from "../../src/observe/events.ts";
import { startHttpRecorder } from "../support/http_recorder.ts";
import { havePeer } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { type RealProxy, startMicrosocks, startTinyproxy } from "../support/proxies.ts";
import { type InProcessRelay, startInProcessRelay } from "../support/relay_in_process.ts";
import { startScriptedPeer } from "../support/scripted_peer.ts";

const USER = { username: "relay", password: "s3cret" };

interface Kind {
  readonly peer: string;
  readonly scheme: string;
  readonly start: () => Promise<RealProxy>;
  /** What it writes of a connection to a port. */
  readonly trace: (port: number) => string;
}

const KINDS: readonly Kind[] = [
  {
    peer: "microsocks",
    scheme: "socks5",
    start: () => startMicrosocks(USER),
    trace: (port) => `connected to localhost:${port}`,
  },
  {
    peer: "tinyproxy",
    scheme: "http",
    start: () => startTinyproxy(USER),
    trace: (port) => `CONNECT localhost:${port}`,
  },
];

/** Sends one message into a relay and waits for what becomes of it. */
async function send({ smtpPort, waitFor }: InProcessRelay) {
  using client = await PlainClient.greet(smtpPort);
  await client.send({
    from: "a@origin.example",
    to: ["b@dest.example"],
    data: new TextEncoder().encode("Subject: by proxy\r\n\r\nHello\r\n"),
  });
  return await waitFor(({ type }) =>
    type === "delivered" || type === "deferred" || type === "bounced"
  );
}

function smarthost(port: number, proxy: string): string {
  return `[transports.out]\ntype = "smarthost"\nhosts = ["localhost:${port}"]\n` +
    `proxy_resolves = true\nproxy = "${proxy}"\n`;
}

for (const { peer: name, scheme, start, trace } of KINDS) {
  const ignore = !havePeer(name);

  Deno.test({
    name: `mail leaves through ${name} (needs ${name})`,
    ignore,
    async fn() {
      await using server = startScriptedPeer();
      await using proxy = await start();
      const place = `127.0.0.1:${proxy.port}`;
      await using relay = await startInProcessRelay({
        toml: smarthost(server.port, `${scheme}://relay:s3cret@${place}`),
      });
      const event = await send(relay);
      assertEquals(event.type, "delivered");
      assertEquals(server.messages.length, 1);
      assertStringIncludes(proxy.output(), trace(server.port));
      const attempt = await attemptOf(relay, event);
      assertEquals(attempt["proxy"], `${scheme}://${place}`);
      assertEquals(attempt["remote"], `localhost:${server.port}`);
    },
  });

  Deno.test({
    name: `no mail bounces where ${name} does not know us (needs ${name})`,
    ignore,
    async fn() {
      await using proxy = await start();
      await using relay = await startInProcessRelay({
        toml: smarthost(25, `${scheme}://relay:wrong@127.0.0.1:${proxy.port}`),
      });
      const event = await send(relay);
      assertEquals(event.type, "deferred");
      assert("reply" in event);
      assertStringIncludes(event.reply, "The proxy failed");
    },
  });

  Deno.test({
    name: `requests to an API leave through ${name} (needs ${name})`,
    ignore,
    async fn() {
      await using api = startHttpRecorder(() => ({ kind: "answer", status: 202 }));
      await using proxy = await start();
      const { port } = new URL(api.url);
      await using relay = await startInProcessRelay({
        toml: `[transports.out]\ntype = "webhook"\nurl = "http://localhost:${port}/mail"\n` +
          `proxy = "${scheme}://relay:s3cret@127.0.0.1:${proxy.port}"\n`,
      });
      const event = await send(relay);
      assertEquals(event.type, "delivered");
      assertEquals(api.requests.length, 1);
      const attempt = await attemptOf(relay, event);
      assertEquals(attempt["proxy"], `${scheme}://127.0.0.1:${proxy.port}`);
      assertEquals(attempt["remote"], `localhost:${port}`);
      assertStringIncludes(proxy.output(), `localhost:${port}`);
    },
  });
}

interface ShownMessage {
  readonly timeline: readonly { kind: string; detail: Readonly<Record<string, unknown>> }[];
}

/** What the API tells of the attempt that an event is about. */
async function attemptOf({ origin, stored }: InProcessRelay, event: RelayEvent) {
  assert("messageId" in event);
  await stored();
  const response = await fetch(`${origin}/api/v1/messages/${event.messageId}`);
  const { timeline }: ShownMessage = await response.json();
  return timeline.find(({ kind }) => kind === "attempt")?.detail ?? {};
}
