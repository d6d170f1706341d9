import { assert, assertEquals } from "@std/assert";
import { runSource } from "../support/load.ts";
import { freePort, havePeer, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { memoryStats } from "../support/process_stats.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { assertOnlyTraceAdded, messageOfSize } from "../support/sample_messages.ts";

const IS_LONG = Deno.env.get("POSTHOUSE_LONG") === "1";
const MIB = 1024 * 1024;

Deno.test("memory: a message of 100 MiB passes in less than 200 MiB", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  await using relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    settings: `[limits]\nmessage_size = "110MiB"`,
  });
  const data = messageOfSize(100 * MIB);
  using client = await PlainClient.greet(relay.port);
  const { reply } = await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
  assertEquals(reply.code, 250);
  await sink.waitForMessages(1);
  assertOnlyTraceAdded({ received: sink.messages[0]?.data ?? new Uint8Array(), sent: data });
  const { peakResidentKib } = await memoryStats(relay.pid);
  assert(peakResidentKib < 200 * 1024, `peak ${Math.round(peakResidentKib / 1024)} MiB`);
});

/** By then heaps and the database's page cache have most of what they settle at. */
const WARM_UP = IS_LONG ? 30_000 : 14_000;
/** For 70,000 or 6,000 more messages of 2 KiB. */
const GROWTH_LIMIT_MIB = IS_LONG ? 50 : 25;
const QUEUED = IS_LONG ? 100_000 : 20_000;

Deno.test({
  name: `memory: ${QUEUED} queued messages and no destination (needs smtp-source)`,
  ignore: !havePeer("smtp-source"),
  fn: async () => {
    await using folder = await tempFolder();
    await using relay = await startRelay({
      folder: folder.path,
      nextHopPort: freePort(),
      logToFile: true,
    });
    const load = { port: relay.port, sessions: 20, sizeBytes: 2048 };
    await runSource({ ...load, messages: WARM_UP });
    const { residentKib: earlyKib } = await memoryStats(relay.pid);
    await runSource({ ...load, messages: QUEUED - WARM_UP });
    const { residentKib } = await memoryStats(relay.pid);
    const grownMib = (residentKib - earlyKib) / 1024;
    assert(grownMib < GROWTH_LIMIT_MIB, `grew by ${Math.round(grownMib)} MiB`);
    assert(residentKib < 280 * 1024, `${Math.round(residentKib / 1024)} MiB`);
  },
});
