import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { tempFolder } from "../support/peers.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { assertOnlyTraceAdded } from "../support/sample_messages.ts";
import { KillLedger, Sender } from "./kill_load.ts";

const IS_LONG = Deno.env.get("POSTHOUSE_LONG") === "1";
const ROUNDS = IS_LONG ? 20 : 6;
const SENDERS = 8;
const SEED = Number(Deno.env.get("POSTHOUSE_SEED") ?? 20260101);

// Retries come soon, and bodies are on both sides of the spool threshold.
const SETTINGS = `[queue]
retry = ["1s"]
spool_threshold = "16KiB"
lease = "5s"
[log]
level = "warning"
`;

Deno.test(`kill: ${ROUNDS} times under load, and nothing that got 250 is lost or altered`, async () => {
  const random = seededRandom(SEED);
  const ledger = new KillLedger();
  await using folder = await tempFolder();
  await using sink = startRecordingSink({
    judgeRecipient: (_address, seen) =>
      seen === 0 && random.float() < 0.05 ? "451 4.7.1 Later" : null,
    judgeMessage: (message) => ledger.noteDelivery(message),
  });
  const start = () =>
    startRelay({
      folder: folder.path,
      nextHopPort: sink.port,
      settings: SETTINGS,
      logToFile: true,
    });
  const senders = Array.from({ length: SENDERS }, (_, number) => new Sender({ number, ledger }));
  for (let round = 1; round <= ROUNDS; round++) {
    ledger.round = round;
    const relay = await start();
    const sending = senders.map((sender) => sender.run({ port: relay.port, random }));
    await delay(200 + random.float() * 1300);
    await relay.crash();
    await Promise.all(sending);
  }
  ledger.round = ROUNDS + 1;
  await using _relay = await start();
  await sink.waitUntil(() => ledger.missing.size === 0, { timeoutMs: 120_000 });
  checkLedger({ ledger, messages: sink.messages });
});

function checkLedger(
  { ledger, messages }: {
    ledger: KillLedger;
    messages: readonly { readonly recipients: readonly string[]; readonly data: Uint8Array }[];
  },
): void {
  assert(ledger.accepted > ROUNDS * SENDERS, `only ${ledger.accepted} messages were accepted`);
  for (const { recipients, data } of messages) {
    for (const recipient of recipients) {
      assertOnlyTraceAdded({ received: data, sent: ledger.sentTo(recipient) });
    }
  }
  // At least once: a second delivery comes only from an outcome that a crash kept from being
  // recorded, so each one is in a later life of the relay than the one before.
  const { duplicates, sameLife } = ledger.duplicates();
  assertEquals(sameLife, 0, "messages delivered twice within one life of the relay");
  report(
    `accepted ${ledger.accepted}, delivered ${messages.length}, ` +
      `of which twice because of a crash: ${duplicates} (seed ${SEED})`,
  );
}

/** The moment of a crash is random, so this is not waiting for anything. */
function delay(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

function report(line: string): void {
  // deno-lint-ignore no-console
  console.log(line);
}
