import { assertEquals } from "@std/assert";
import { concatBytes, encodeText } from "../../src/base/bytes.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import type { Envelope } from "../../src/mail/envelope.ts";
import { type ExpansionNotice, Intake } from "../../src/queue/intake.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { messageOf } from "./messages.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const BODY = encodeText("Subject: x\r\n\r\ntext\r\n");
const ENVELOPE: Envelope = {
  reversePath: "s@source.example",
  body: "7BIT",
  smtpUtf8: false,
  recipients: [{ forwardPath: "a@dest.example", domain: "dest.example" }],
};
const nobody = {
  reserve: () => null,
  unreserve() {},
  enterReserved() {},
  wake() {},
};

/** Takes a message in and returns what is in the store then, the message first. */
async function takeIn(
  envelope: Envelope,
  expansionNotice?: ExpansionNotice,
  { pieces = [BODY], spoolThresholdBytes = 1000 }: {
    pieces?: readonly Uint8Array[];
    spoolThresholdBytes?: number;
  } = {},
) {
  const clock = new ManualClock(NOW_MS);
  await using store = openMemoryStore({ clock });
  let ids = 0;
  const intake = new Intake({
    store,
    scheduler: nobody,
    clock,
    emit: () => {},
    newId: () => `MESSAGE00000000${++ids}`,
    summarize: () => ({ subject: "", from: "", messageId: "" }),
    limits: { spoolThresholdBytes, expireMs: 1_000_000 },
    ...(expansionNotice === undefined ? {} : { expansionNotice }),
  });
  const origin = { listener: "t", clientAddress: "", clientPort: 0, helo: "", protocol: "SMTP" };
  const writer = intake.begin({ envelope, origin, head: () => new Uint8Array(0) });
  for (const piece of pieces) await writer.write(piece);
  assertEquals(await writer.commit(bodyFacts(concatBytes(pieces))), { kind: "stored" });
  const { items } = await store.list({ filter: {}, limit: 10 });
  return items.map(({ message }) => message).toSorted((left, right) => left.id < right.id ? -1 : 1);
}

Deno.test("intake: mail is held until the time the client named (RFC 4865)", async () => {
  const [message] = await takeIn({ ...ENVELOPE, extras: { holdUntilMs: NOW_MS + 5000 } });
  assertEquals(message?.expiresAtMs, NOW_MS + 5000 + 1_000_000);
});

Deno.test("intake: mail to be returned after a deadline expires then (RFC 2852)", async () => {
  const deadlineMs = NOW_MS + 5000;
  const returned = { deliverBy: { deadlineMs, mode: "R", trace: false } } as const;
  assertEquals((await takeIn({ ...ENVELOPE, extras: returned }))[0]?.expiresAtMs, deadlineMs);
  const noticed = { deliverBy: { deadlineMs, mode: "N", trace: false } } as const;
  const [message] = await takeIn({ ...ENVELOPE, extras: noticed });
  assertEquals(message?.expiresAtMs, NOW_MS + 1_000_000);
});

Deno.test("intake: the notice of an expansion is queued with the message", async () => {
  const alias = { forwardPath: "team@relay.example", domain: "relay.example" };
  const seen: unknown[] = [];
  const notice: ExpansionNotice = ({ message, expanded, start }) => {
    seen.push([message.id, expanded, start]);
    return messageOf(7);
  };
  const stored = await takeIn({ ...ENVELOPE, expanded: [alias] }, notice);
  assertEquals(stored.length, 2);
  assertEquals(seen, [["MESSAGE000000001", [alias], BODY]]);
  assertEquals((await takeIn(ENVELOPE, notice)).length, 1);
});

Deno.test("intake: the notice of an expansion sees 64 KiB of a message that is spooled", async () => {
  const alias = { forwardPath: "team@relay.example", domain: "relay.example" };
  const sizes: number[] = [];
  const notice: ExpansionNotice = ({ start }) => {
    assertEquals(start.subarray(0, BODY.length), BODY);
    sizes.push(start.length);
    return null;
  };
  const text = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(120);
  const envelope = { ...ENVELOPE, expanded: [alias] };
  for (const bytes of [1_000, 65_536 - BODY.length, 80_000]) {
    const pieces = [BODY, text(bytes), text(100_000)];
    await takeIn(envelope, notice, { pieces, spoolThresholdBytes: 100_000 });
  }
  assertEquals(sizes, [1_000 + BODY.length, 65_536, 65_536]);
});
