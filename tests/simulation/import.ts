import { encodeText } from "../../src/base/bytes.ts";
import { BodySink } from "../../src/cli/queue/import/body_sink.ts";
import { Importer } from "../../src/cli/queue/import/importer.ts";
import type { SourceMessage } from "../../src/cli/queue/import/source.ts";
import type { PlannedMail } from "./plan.ts";
import type { Life, World } from "./world.ts";

/** As in `sqlite/store.ts`. */
const WATCH_MS = 300;
const CHUNK_BYTES = 500;
/** The longest time that the files take until the next octets are there. */
const LONGEST_READ_MS = 2_000;

/** One run of `posthouse queue import`; true when all of it is in the queue. */
export async function importMail(
  mails: readonly PlannedMail[],
  { world, life }: { world: World; life: Life },
): Promise<boolean> {
  const { expireMs, spoolThresholdBytes: thresholdBytes } = world.plan.settings;
  await using store = await world.ground.open(life, "tool");
  const importer = new Importer({
    ...{ store, nowMs: world.clock.wallMs, holds: false, isFresh: false },
    ...{ again: false, isDryRun: false, sign: () => null },
    limits: { spoolThresholdBytes: thresholdBytes, expireMs },
    wishes: { reversePath: null, recipients: [], usesAddressFields: false },
    sink: () => new BodySink({ thresholdBytes, spool: () => store.spool() }),
  });
  const tell = (): void => world.after(WATCH_MS, () => world.ground.changedElsewhere());
  let isComplete = true;
  for (const mail of mails) {
    const { stored } = await importer.take(itemOf(mail, { world, life }), "eml");
    const result = await stored;
    tell();
    world.note(() => `import of mail ${mail.number}: ${JSON.stringify(result)}`);
    if (result.kind === "imported") {
      const mailboxes = mail.recipients.map(({ mailbox }) => mailbox);
      world.ledger.accept(result.message.id, { number: mail.number, mailboxes });
    } else if (result.kind !== "known") isComplete = false;
    else if (world.ledger.idsOf(mail.number).length === 0) await acceptKnown(mail, world);
  }
  return isComplete;
}

/** A run that was killed brought it, and did not live to say so. */
async function acceptKnown({ number, recipients }: PlannedMail, world: World): Promise<void> {
  const all = await world.ground.peekAll();
  const found = all.find(({ message: { origin, summary } }) =>
    origin.listener === "import" && summary.subject === `mail ${number}`
  );
  if (found === undefined) {
    return world.fail("what an import calls known is in the queue", `mail ${number}`);
  }
  const mailboxes = recipients.map(({ mailbox }) => mailbox);
  world.ledger.accept(found.message.id, { number, mailboxes });
}

function itemOf(
  { number, sender, recipients, sizeBytes }: PlannedMail,
  { world, life }: { world: World; life: Life },
): SourceMessage {
  const head = [
    `Return-Path: <${sender}>`,
    `Envelope-To: ${recipients.map(({ mailbox }) => mailbox).join(", ")}`,
    `Subject: mail ${number}`,
  ].join("\r\n");
  const octets = encodeText(`${head}\r\n\r\n${`${"x".repeat(70)}\r\n`.repeat(sizeBytes / 72)}`);
  return {
    ...{ kind: "message", label: `${number}.eml`, identity: `eml ${number}` },
    ...{ reversePath: null, exported: null },
    async *octets() {
      for (let start = 0; start < octets.length; start += CHUNK_BYTES) {
        const delayMs = 1 + LONGEST_READ_MS * world.roll(`read ${number}`) ** 3;
        await new Promise<void>((resolve) =>
          world.clock.schedule(delayMs, { owner: life.wires, callback: resolve })
        );
        yield octets.slice(start, start + CHUNK_BYTES);
      }
    },
  };
}
