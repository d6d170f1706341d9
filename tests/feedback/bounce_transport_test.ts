import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type BounceRules,
  BounceTransport,
  type BounceTransportOptions,
} from "../../src/feedback/bounce_transport.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import { FeedbackDesk } from "../../src/feedback/desk.ts";
import { ReturnAddresses } from "../../src/feedback/return_address.ts";
import { reply } from "../../src/mail/reply.ts";
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
    proofOf: () => () => Promise.resolve(false),
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
  const deliver = async (
    to: string,
    body: string = BOUNCE,
    { protocol = "ESMTP" }: { protocol?: string } = {},
  ) => {
    const origin = { ...messageOf(2).origin, protocol };
    const message = { id: idOf(2), receivedAtMs: clock.now(), origin };
    const job = sampleJob({ body, recipients: [to], message });
    const { outcomes: [outcome] } = await transport.deliver(job);
    assert(outcome !== undefined);
    return outcome;
  };
  return { deliver, events, store, transport, clock };
}

Deno.test("bounce transport: an attempt that is repeated tells nothing twice", async () => {
  const { deliver, events } = await bench();
  for (let count = 0; count < 2; count++) {
    const outcome = await deliver(TO);
    assertEquals(outcome.kind, "delivered");
    assertStringIncludes(
      outcome.reply.lines[0] ?? "",
      "bounced <user@dest.example>; forwarded to",
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
    replies.filter((reply) => reply.includes("forwarded to")).length,
    20,
  );
  assertEquals(replies.at(-1), "Accepted: unclear; not forwarded, limit reached");
  assertEquals((await store.list({ filter: {}, limit: 100 })).items.length, 21);
});

const REPLY = "From: user@dest.example\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n";
const COMPLAINT = [
  'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
  ...["", "--b", "Content-Type: message/feedback-report", "", "Feedback-Type: abuse", "--b--"],
].join("\r\n");

/** What is done with what comes to a return address. */
const ENDS: readonly (readonly [
  string,
  {
    rules?: Partial<BounceRules>;
    to?: string;
    body: string;
    outcome: string;
    handedOnTo: string | null;
  },
])[] = [
  ["a bounce is handed on to its sender", {
    ...{ body: BOUNCE, handedOnTo: "sender@origin.example" },
    outcome: "Accepted: bounced <user@dest.example>; forwarded to",
  }],
  ["a bounce stays here where nothing is handed on", {
    ...{ rules: { forwards: false }, body: BOUNCE, handedOnTo: null },
    outcome: "Accepted: bounced <user@dest.example>",
  }],
  ["a reply is handed on", {
    ...{ body: REPLY, handedOnTo: "sender@origin.example" },
    outcome: "Accepted: forwarded to <sender@origin.example> as",
  }],
  ["a reply stays here where nothing is handed on", {
    ...{ rules: { forwards: false }, body: REPLY, handedOnTo: null },
    outcome: "Accepted: reply",
  }],
  ["a complaint is never handed on", {
    ...{ body: COMPLAINT, handedOnTo: null },
    outcome: "Accepted: complained <user@dest.example>",
  }],
  ["a complaint of nobody we know goes to the operator", {
    ...{ rules: { mailboxes: ["fbl@origin.example"], operator: "op@ops.example" } },
    ...{ to: "fbl@origin.example", body: COMPLAINT, handedOnTo: "op@ops.example" },
    outcome: "Accepted: not understood; forwarded to",
  }],
  ["what nobody understands is refused where nobody wants it", {
    ...{ rules: { forwards: false }, body: "\r\nBuy!\r\n", handedOnTo: null },
    outcome: "Cannot parse this report",
  }],
  ["what nobody understands goes to the operator", {
    ...{ rules: { forwards: false, operator: "op@ops.example" }, body: "\r\nBuy!\r\n" },
    ...{ handedOnTo: "op@ops.example", outcome: "Accepted: not understood; forwarded to" },
  }],
  ["an operator behind our own return addresses gets nothing", {
    ...{ rules: { forwards: false, operator: "op@bounces.test" }, body: "\r\nBuy!\r\n" },
    ...{ handedOnTo: null, outcome: "Cannot parse this report" },
  }],
  ["a sender that is one of our mailboxes gets nothing", {
    ...{ rules: { mailboxes: ["Sender@origin.example"] }, body: BOUNCE, handedOnTo: null },
    outcome: "Accepted: bounced <user@dest.example>",
  }],
];

for (const [name, { rules = {}, to = TO, body, outcome: expected, handedOnTo }] of ENDS) {
  Deno.test(`bounce transport: ${name}`, async () => {
    let woken = 0;
    const { deliver, store } = await bench({
      rules: () => ({ ...RULES, ...rules }),
      wake: () => woken++,
    });
    const { reply } = await deliver(to, body);
    assertStringIncludes(reply.lines[0] ?? "", expected);
    const { items } = await store.list({ filter: {}, limit: 10 });
    const made = items.filter(({ message }) => message.id !== idOf(1));
    const details = await Promise.all(made.map(({ message }) => store.get(message.id)));
    assertEquals(
      details.flatMap((one) => one?.recipients.map(({ forwardPath }) => forwardPath) ?? []),
      handedOnTo === null ? [] : [handedOnTo],
    );
    assertEquals(woken, made.length);
  });
}

for (const spoolThresholdBytes of [1_000_000, 10]) {
  Deno.test(`bounce transport: what is handed on is as it came, above ${spoolThresholdBytes} octets or not`, async () => {
    const { deliver, store, clock } = await bench({
      rules: () => ({ ...RULES, spoolThresholdBytes, lifetimeMs: 5_000 }),
    });
    await deliver(TO, REPLY);
    const detail = await store.get(idOf(100));
    assertEquals(detail?.message.expiresAtMs, clock.now() + 5_000);
    assertEquals(detail?.message.origin.protocol, "LOCAL");
    assertEquals(detail?.recipients[0]?.notify, ["NEVER"]);
    assertEquals(detail?.recipients[0]?.nextAttemptAtMs, clock.now());
    const octets = await store.body(idOf(100));
    const text = octets === null
      ? ""
      : new TextDecoder().decode(concatBytes(await Array.fromAsync(octets)));
    assertStringIncludes(text, REPLY);
  });
}

Deno.test("bounce transport: its store that is away is asked again in a minute", async () => {
  const store = openMemoryStore({ clock: new ManualClock() });
  await store[Symbol.asyncDispose]();
  const { deliver } = await bench({ store });
  const outcome = await deliver(TO);
  assertEquals(outcome, {
    ...{ kind: "temporary", counts: false, retryAfterMs: 60_000 },
    reply: reply(451, "4.3.0", "Cannot store this report, try again later"),
  });
});

Deno.test("bounce transport: owns its domains and mailboxes, and reads addresses until their time", async () => {
  const rules = { ...RULES, mailboxes: ["FBL@origin.example"] };
  const { transport, clock } = await bench({ rules: () => rules });
  const owns = (mailbox: string) => transport.owns(mailbox, mailbox.split("@")[1] ?? "");
  assertEquals(
    ["x@bounces.test", "FBL@ORIGIN.example", "other@origin.example"].map(owns),
    [true, true, false],
  );
  const accepts = (mailbox: string) => transport.accepts(mailbox, clock.now());
  assertEquals(
    [TO, "FBL@origin.example", "Postmaster@bounces.test", "b-x@bounces.test", "nobody"].map(
      accepts,
    ),
    [true, true, true, false, false],
  );
  assertEquals([transport.maxConcurrency, transport.maxRecipients], [4, 1]);
  assertEquals(transport.destinationOf(), transport.sharedDestination);
});

Deno.test("bounce transport: of what the relay writes itself only the list is told", async () => {
  const suppressed: string[] = [];
  const taken: string[] = [];
  const desk = {
    take: (feedback: { kind: string }) => Promise.resolve(void taken.push(feedback.kind)),
    suppress: (facts: { recipient: string }) =>
      Promise.resolve(void suppressed.push(facts.recipient)),
  } as unknown as FeedbackDesk;
  const { deliver } = await bench({ desk });
  await deliver(TO, BOUNCE, { protocol: "LOCAL" });
  assertEquals([suppressed, taken], [["user@dest.example"], []]);
  await deliver(TO, BOUNCE.replace("5.1.1", "4.2.2"), { protocol: "LOCAL" });
  assertEquals([suppressed.length, taken], [1, []]);
  await deliver(TO);
  assertEquals([suppressed.length, taken], [1, ["bounced"]]);
});

Deno.test("bounce transport: what the desk has not taken is not answered", async () => {
  const desk = {
    take: () => Promise.reject(new StoreError("unavailable", "no")),
    suppress: () => Promise.reject(new StoreError("unavailable", "no")),
  } as unknown as FeedbackDesk;
  const { deliver } = await bench({ desk });
  assertEquals((await deliver(TO)).kind, "temporary");
  assertEquals((await deliver(TO, BOUNCE, { protocol: "LOCAL" })).kind, "temporary");
});

Deno.test("bounce transport: of two findings of one recipient the graver counts", async () => {
  const two = BOUNCE.replace(
    "Status: 5.1.1",
    "Status: 4.2.2\r\n\r\nFinal-Recipient: rfc822; User@dest.example\r\nAction: failed\r\nStatus: 5.1.1" +
      "\r\n\r\nFinal-Recipient: rfc822; user@dest.example\r\nAction: delayed\r\nStatus: 4.2.2",
  );
  const { deliver, events } = await bench();
  await deliver(TO, two);
  assertEquals(events.flatMap((event) => event.type === "feedback" ? event.kind : []), ["bounced"]);
});
