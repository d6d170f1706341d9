import { assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { recipientOf, traceOf } from "../../src/feedback/attribution.ts";
import { mayHandOn } from "../../src/feedback/hand_on_limit.ts";
import type { ReportParts } from "../../src/feedback/report_reader.ts";
import { ReturnAddresses } from "../../src/feedback/return_address.ts";
import { countSoftBounce, forgetSoftBounces } from "../../src/feedback/soft_bounces.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { claimOf, idOf, messageOf } from "../queue/messages.ts";
import { ManualClock } from "../support/manual_clock.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const ADDRESSES = new ReturnAddresses({
  ...{ domains: ["bounces.test"], key: "a key of some length", oldKey: null, lifetimeMs: 1e15 },
});
const NOTHING: ReportParts = {
  ...{ header: new Uint8Array(), text: "", deliveryStatus: null, feedbackReport: null },
  returned: null,
};
const OPTIONS = { addresses: ADDRESSES, hostname: "Relay.test", nowMs: NOW_MS };

function received(text: string): ReturnType<typeof traceOf> {
  return traceOf({ ...NOTHING, returned: encodeText(text) }, OPTIONS);
}

Deno.test("attribution: a field that this relay wrote names the message", () => {
  const found = { kind: "received", messageId: idOf(3) } as const;
  const own = `Received: from a\r\n by relay.TEST with ESMTP id ${idOf(3)};\r\n`;
  assertEquals(received(own), found);
  assertEquals(received(`Subject: x\r\n${own}`), found);
  assertEquals(received(`${own.replace("relay.TEST", "other.test")}${own}`), found);
  assertEquals(received(own.replace("relay.TEST", "other.test")), null);
  assertEquals(received(own.replace(idOf(3), "SHORT")), null);
  assertEquals(received(own.replace("Received", "X-Received")), null);
  const later = `Received: from a by relay.test;\r\nX: id ${idOf(3)}\r\n`;
  assertEquals(received(later), null, "the name in one field, the number in another");
});

Deno.test("attribution: a return address that was signed is believed before that", () => {
  const ref = { messageId: idOf(1), index: 4 };
  const address = ADDRESSES.make(ref, {
    ...{ recipient: "user@dest.example", senderDomain: "origin.example" },
  });
  const signed = { kind: "signed", ref: { ...ref } } as const;
  const own = `Received: from a by relay.test id ${idOf(3)};\r\n`;
  const places: Partial<ReportParts>[] = [
    { returned: encodeText(`Return-Path: <${address}>\r\n${own}`) },
    { feedbackReport: `Original-Mail-From: <${address}>\r\n`, returned: encodeText(own) },
    { text: `Sorry.\n--- This is a copy of the message:\nReturn-Path: <${address}>\n` },
  ];
  for (const place of places) {
    const trace = traceOf({ ...NOTHING, ...place }, OPTIONS);
    assertEquals([trace?.kind, trace?.kind === "signed" && trace.ref.messageId], [
      ...[signed.kind, idOf(1)],
    ]);
  }
  const without = { ...OPTIONS, addresses: null };
  assertEquals(traceOf({ ...NOTHING, ...places[0] }, without)?.kind, "received");
  assertEquals(traceOf(NOTHING, OPTIONS), null);
});

Deno.test("attribution: the recipient is the one of the address, else the one of a name", async () => {
  await using store = openMemoryStore();
  await store.put(messageOf(1, { to: ["a@x.example", "b@x.example"] }));
  await store.put(messageOf(2, { to: ["a@x.example"] }));
  await store.claim(claimOf());
  const [two, one] = [await store.get(idOf(1)), await store.get(idOf(2))];
  if (two === null || one === null) throw new Error("no messages");
  const find = (detail: typeof two, index: number | null, ...names: string[]) =>
    recipientOf(detail, { index, names })?.forwardPath;
  assertEquals(find(two, 1, "a@x.example"), "b@x.example");
  assertEquals(find(two, 2, "a@x.example"), undefined);
  assertEquals(find(two, null, "c@x.example", "B@X.example"), "b@x.example");
  assertEquals(find(two, null), undefined, "of two nobody can say which");
  assertEquals(find(one, null), "a@x.example");
  assertEquals(find(one, null, "c@x.example"), undefined);
});

Deno.test("attribution: twenty notes for each recipient are handed on in thirty days", async () => {
  const clock = new ManualClock();
  const { shelf } = openMemoryStore({ clock });
  const count = async (key: string, recipients: number) => {
    let passed = 0;
    for (let time = 0; time < 50; time++) {
      if (await mayHandOn(shelf, { key, recipients, nowMs: clock.now() })) passed++;
    }
    return passed;
  };
  assertEquals(await count("a", 1), 20);
  assertEquals(await count("b", 2), 40);
  await clock.advance(30 * DAY_MS - 1);
  assertEquals(await count("a", 1), 0);
  await clock.advance(1);
  assertEquals(await count("a", 1), 20);
});

Deno.test("attribution: soft bounces of one mailbox count within their time, and can be forgotten", async () => {
  const clock = new ManualClock();
  const { shelf } = openMemoryStore({ clock });
  const rule = { limit: 3, windowMs: 1_000 };
  const count = (mailbox: string, atMs: number) =>
    countSoftBounce(shelf, { mailbox, atMs: NOW_MS + atMs, rule });
  assertEquals([await count("A@x.test", 0), await count("A@X.test", 999)], [1, 2]);
  assertEquals(await count("A@x.test", 1_000), 2, "the first is over");
  assertEquals(await count("b@x.test", 1_000), 1);
  assertEquals([await count("A@x.test", 1_001), await count("A@x.test", 1_002)], [3, 3]);
  await forgetSoftBounces(shelf, "A@x.test");
  assertEquals(await count("A@x.test", 1_003), 1);
  await shelf.put("soft_bounces", { key: "c@x.test", value: "{broken", expiresAtMs: null });
  assertEquals(await count("c@x.test", 0), 1);
  await shelf.put("soft_bounces", {
    key: "d@x.test",
    value: `["x", ${NOW_MS}]`,
    expiresAtMs: null,
  });
  assertEquals(await count("d@x.test", 2), 2);
});
