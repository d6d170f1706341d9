/** A process that may open few files, and strangers who hold as many connections as they can. */
import { assert, assertEquals } from "@std/assert";
import { freePort, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { messageOfSize } from "../support/sample_messages.ts";

const OPEN_FILES = 512;
const STRANGERS = 600;
/** Above `queue.spool_threshold`, so that each has a file of its own. */
const LARGE_BYTES = 300_000;

/** Connects as often as it can, without a word. */
async function hold(port: number): Promise<Deno.TcpConn[]> {
  const conns: Deno.TcpConn[] = [];
  for (let count = 0; count < STRANGERS; count++) {
    conns.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  }
  return conns;
}

/** Sends as often as it has to until it is accepted. */
async function sendAtLast(port: number, subject: string): Promise<void> {
  for (;;) {
    try {
      using client = await PlainClient.greet(port);
      const data = messageOfSize(LARGE_BYTES, subject);
      const { reply } = await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
      if (reply.code === 250) return;
    } catch {
      // closed, as the listener was full
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("idle connections to every listener leave the relay alive and honest mail its room", async () => {
  await using folder = await tempFolder();
  await using sink = await startRecordingSink();
  const [adminPort, eventsPort] = [freePort(), freePort()];
  await using relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    openFiles: OPEN_FILES,
    listener: "max_connections_per_address = 10000",
    settings: `
      [admin]
      open_on_loopback = true
      port = ${adminPort}
      max_connections_per_address = 10000
      [provider_events]
      port = ${eventsPort}
      max_connections_per_address = 10000
      sources = [{ provider = "mailgun", name = "mg", signing_key = "k" }]`,
  });
  await relay.waitForEvent("started");
  assert(relay.output().includes("all caps are lowered to"), relay.output());
  const health = async (): Promise<number> => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/healthz`).catch(() => null);
      await answer?.body?.cancel();
      if (answer !== null) return answer.status;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  // Many sessions with a large message each at the same time, which need two descriptors each.
  const port = relay.port;
  await Promise.all(Array.from({ length: 40 }, (_, index) => sendAtLast(port, `crowd ${index}`)));
  for (const attacked of [relay.port, eventsPort]) {
    const held = await hold(attacked);
    assertEquals(await health(), 200);
    for (const conn of held) conn.close();
    await sendAtLast(port, `after ${attacked}`);
  }
  const held = (await Promise.all([relay.port, adminPort, eventsPort].map(hold))).flat();
  for (const conn of held) conn.close();
  assertEquals(await health(), 200);
  await sendAtLast(port, "last");
  await sink.waitForMessages(43);
  assertEquals(relay.output().includes("EMFILE"), false, "descriptors ran out");
});
