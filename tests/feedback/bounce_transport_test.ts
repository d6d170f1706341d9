import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type BounceRules,
  BounceTransport,
  type BounceTransportOptions,
} from "../../src/feedback/bounce_transport.ts";
import { FeedbackDesk } from "../../src/feedback/desk.ts";
import { ReturnAddresses } from "../../src/feedback/return_address.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { StoreError } from "../../src/queue/store.ts";
import { SuppressionList } from "../../src/queue/suppressions.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { idOf, messageOf } from "../queue/messages.ts";

const ADDRESSES = new ReturnAddresses({
  ...{
    domains: ["bounces.test"],
    key: "a key of some length",
    oldKey: null,
    lifetimeMs: 1e15,
  },
});
const RULES: BounceRules = {
  ...{ addresses: ADDRESSES, mailboxes: [], forwards: true, operator: null },
  ...{
    hostname: "relay.test",
    lifetimeMs: 1_000,
    spoolThresholdBytes: 1_000_000,
  },
};
const BOUNCE = [
  'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
  ...[
    "",
    "--b",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.test",
    "",
  ],
  ...[
    "Final-Recipient: rfc822; user@dest.example",
    "Action: failed",
    "Status: 5.1.1",
    "",
    "--b--",
  ],
].join("\r\n");
const TO = ADDRESSES.make({ messageId: idOf(1), index: 0 }, {
  ...{ recipient: "user@dest.example", senderDomain: "origin.example" },
}) ?? "";

async function bench(options: Partial<BounceTransportOptions> = {}) {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock });
  await store.put(messageOf(1));
  const events: RelayEvent[] = [];
  let ids = 100;
  const transport = new BounceTransport({
    ...{ store, clock, newId: () => idOf(ids++), wake: () => {} },
    desk: new FeedbackDesk({
      ...{
        store,
        clock,
        record: () => null,
        emit: (event) => events.push(event),
      },
      suppressions: new SuppressionList({ shelf: store.shelf, clock }),
      rules: () => ({
        ...{
          suppressBouncedMs: null,
          suppressComplainedMs: null,
          suppressSoftMs: null,
        },
        soft: { limit: 3, windowMs: 1_000 },
      }),
    }),
    rules: () => RULES,
    ...options,
  });
  const deliver = async (to: string, body: string = BOUNCE) => {
    const message = { id: idOf(2), receivedAtMs: clock.now() };
    const job = sampleJob({ body, recipients: [to], message });
    const { outcomes: [outcome] } = await transport.deliver(job);
    assert(outcome !== undefined);
    return outcome;
  };
  return { deliver, events, store };
}

Deno.test("bounce transport: an attempt that is repeated tells nothing twice", async () => {
  const { deliver, events } = await bench();
  for (let count = 0; count < 2; count++) {
    const outcome = await deliver(TO);
    assertEquals(outcome.kind, "delivered");
    assertStringIncludes(
      outcome.reply.lines[0] ?? "",
      "bounced <user@dest.example>; handed on to",
    );
  }
  assertEquals(events.map(({ type }) => type), ["feedback"]);
});

Deno.test("bounce transport: what the store cannot keep is tried again, uncounted", async () => {
  const store = openMemoryStore({ clock: new ManualClock() });
  await store[Symbol.asyncDispose]();
  const { deliver } = await bench({ store });
  const outcome = await deliver(TO);
  assert(outcome.kind === "temporary" && outcome.counts === false);
});

Deno.test("bounce transport: an error that nobody expected is not hidden", async () => {
  const store = openMemoryStore({ clock: new ManualClock() });
  const broken = Object.assign(Object.create(store), {
    get: () => Promise.reject(new TypeError("a bug")),
  });
  const { deliver } = await bench({ store: broken });
  const error = await deliver(TO).catch((caught: unknown) => caught);
  assert(error instanceof TypeError && !(error instanceof StoreError));
});

Deno.test("bounce transport: an address that is not ours is refused for good", async () => {
  const { deliver, store } = await bench();
  const outcome = await deliver("b-nothing@bounces.test");
  assertEquals([outcome.kind, outcome.reply.enhanced], ["permanent", "5.1.1"]);
  assertEquals((await store.list({ filter: {}, limit: 10 })).items.length, 1);
});

/** A notification that returns the header of a message, as whoever got that can write. */
function forged(recipient: string): string {
  const received = `Received: from a by relay.test with ESMTP id ${idOf(3)};`;
  return BOUNCE.replace("user@dest.example", recipient)
    .replace(
      "--b--",
      ["--b", "Content-Type: text/rfc822-headers", "", received, "--b--"].join(
        "\r\n",
      ),
    );
}

for (
  const { addresses, told } of [
    { addresses: ADDRESSES, told: [] },
    { addresses: null, told: ["soft_bounced"] },
  ]
) {
  const where = `${addresses === null ? "without" : "with"} return addresses`;
  Deno.test(`bounce transport: of several recipients none bounces the others, ${where}`, async () => {
    const mailboxes = ["fbl@origin.example"];
    const { deliver, events, store } = await bench({
      rules: () => ({ ...RULES, addresses, mailboxes }),
    });
    await store.put(
      messageOf(3, { to: ["mallory@dest.example", "victim@dest.example"] }),
    );
    await deliver("fbl@origin.example", forged("victim@dest.example"));
    assertEquals(
      events.flatMap((event) => event.type === "feedback" ? String(event.kind) : []),
      told,
    );
  });
}

Deno.test("bounce transport: a return address is no way to send its sender mail without end", async () => {
  const { deliver, store } = await bench();
  const replies: string[] = [];
  for (let count = 0; count < 25; count++) {
    const { kind, reply } = await deliver(
      TO,
      "From: mallory@dest.example\r\n\r\nBuy!\r\n",
    );
    assertEquals(kind, "delivered");
    replies.push(reply.lines[0] ?? "");
  }
  assertEquals(
    replies.filter((reply) => reply.includes("handed on to")).length,
    20,
  );
  assertEquals(replies.at(-1), "Taken: unclear; not handed on, too many were");
  assertEquals((await store.list({ filter: {}, limit: 100 })).items.length, 21);
});
