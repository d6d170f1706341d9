/** Clients that reset before they are accepted cost the others nothing. */
import { assertEquals } from "@std/assert";
import { freePort, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRelay } from "../support/relay_process.ts";
import { resetMany } from "../support/resets.ts";

/** Far above what it takes, far below the 34 s of a loop that sleeps for each. */
const LIMIT_MS = 15_000;

for (const resets of [40, 400]) {
  Deno.test(`${resets} resets before accept(2) stop no listener`, async () => {
    await using folder = await tempFolder();
    const [adminPort, submissionPort] = [freePort(), freePort()];
    await using relay = await startRelay({
      folder: folder.path,
      settings: `
        [[listeners]]
        name = "submission"
        port = ${submissionPort}
        [admin]
        open_on_loopback = true
        port = ${adminPort}`,
    });
    await relay.waitForEvent("started");
    const ports = [relay.port, submissionPort, adminPort];
    relay.signal("SIGSTOP"); // so that all are gone before it can accept the first
    for (const port of ports) await resetMany(port, resets);
    relay.signal("SIGCONT");
    const signal = AbortSignal.timeout(LIMIT_MS);
    await Promise.race([
      Promise.all([
        greet(relay.port),
        greet(submissionPort),
        fetch(`http://127.0.0.1:${adminPort}/healthz`, { signal }).then((answer) => answer.text()),
      ]),
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    ]);
    assertEquals(relay.output().includes("Cannot accept"), false, relay.output());
  });
}

async function greet(port: number): Promise<void> {
  using client = await PlainClient.greet(port);
  await client.command("QUIT");
}
