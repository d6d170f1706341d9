import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { decodeText, encodeText } from "../../src/base/bytes.ts";
import { notificationMaker } from "../../src/delivery/bounce.ts";
import type { Conclusion } from "../../src/delivery/conclude.ts";
import type { DeliveryReport, MessageBody } from "../../src/delivery/transport.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import type { Notify } from "../../src/mail/envelope.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import type { MessageRecord, NewMessage, RecipientRecord } from "../../src/queue/store.ts";

const NOW_MS = 1_751_360_700_000;
const HOUR_MS = 3_600_000;
const ORIGINAL = encodeText("Subject: Report\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n");

type News = NonNullable<Conclusion["news"]>;

function message(changes: Partial<MessageRecord> = {}): MessageRecord {
  return {
    id: "01JZ0000000000M1",
    receivedAtMs: NOW_MS - HOUR_MS,
    reversePath: "ann@example.org",
    body: "7BIT",
    smtpUtf8: false,
    origin: {
      listener: "smtp",
      clientAddress: "127.0.0.1",
      clientPort: 4711,
      helo: "x",
      protocol: "ESMTP",
    },
    facts: bodyFacts(ORIGINAL),
    summary: { subject: "Report", from: "", messageId: "<1@example.org>" },
    expiresAtMs: NOW_MS + HOUR_MS,
    ...changes,
  };
}

function conclusion(
  news: News | null,
  { forwardPath = "bob@example.com", notify }: { forwardPath?: string; notify?: Notify[] } = {},
): Conclusion {
  const recipient: RecipientRecord = {
    index: 0,
    forwardPath,
    domain: "example.com",
    ...(notify === undefined ? {} : { notify }),
    state: "queued",
    attempts: 1,
    nextAttemptAtMs: NOW_MS,
    delayNotified: false,
    lastReply: "",
  };
  const temporary = news === "delayed" || news === "expired" || news === null;
  const reply = temporary
    ? { code: 451, lines: ["Later"] }
    : news === "failed"
    ? { code: 550, enhanced: "5.1.1" as const, lines: ["No such mailbox"] }
    : { code: 250, enhanced: "2.0.0" as const, lines: ["Ok"] };
  return { recipient, news, reply, disposition: { kind: "hold" }, nextAttemptAtMs: null };
}

interface Case {
  readonly message?: MessageRecord;
  readonly conclusions: readonly Conclusion[];
  readonly handover?: DeliveryReport["handover"];
  readonly bytes?: Uint8Array;
  readonly postmaster?: string;
  readonly returnLimitBytes?: number;
}

async function make(
  { conclusions, bytes = ORIGINAL, handover, postmaster, returnLimitBytes, ...rest }: Case,
  body: MessageBody = memoryBody(bytes),
): Promise<{ made: readonly NewMessage[]; events: RelayEvent[] }> {
  const events: RelayEvent[] = [];
  const maker = notificationMaker({
    newId: () => "01JZ0000000000N1",
    hostname: "relay.example.org",
    postmaster: postmaster ?? null,
    lifetimeMs: 24 * HOUR_MS,
    emit: (event) => events.push(event),
    ...(returnLimitBytes === undefined ? {} : { returnLimitBytes }),
  });
  const report: DeliveryReport = {
    outcomes: [],
    remote: { host: "mx.example.com", address: "192.0.2.1", port: 25 },
    tls: null,
    ...(handover === undefined ? {} : { handover }),
  };
  const facts = { message: rest.message ?? message(), conclusions, report, body, nowMs: NOW_MS };
  return { made: await maker(facts), events };
}

function memoryBody(bytes: Uint8Array): MessageBody {
  return { sizeBytes: bytes.length, bytes, stream: () => streamOf([bytes]) };
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

function textOf(notification: NewMessage | undefined): string {
  assert(notification?.place.kind === "inline");
  return decodeText(notification.place.bytes);
}

/** The Action field of each recipient that is told of. */
async function actions(input: Case): Promise<string[]> {
  const { made } = await make(input);
  return made.flatMap((notification) =>
    [...textOf(notification).matchAll(/^Action: (.*)\r$/gm)].map(([, action]) => action ?? "")
  );
}

Deno.test("NOTIFY decides who hears of what (RFC 3461 4.1)", async () => {
  const cases: readonly [News, Notify[] | undefined, readonly string[]][] = [
    ["failed", undefined, ["failed"]],
    ["failed", ["FAILURE"], ["failed"]],
    ["failed", ["NEVER"], []],
    ["failed", ["SUCCESS", "DELAY"], []],
    ["expired", undefined, ["failed"]],
    ["expired", ["NEVER"], []],
    ["delayed", undefined, ["delayed"]],
    ["delayed", ["DELAY"], ["delayed"]],
    ["delayed", ["FAILURE"], []],
    ["delivered", undefined, []],
    ["delivered", ["FAILURE", "DELAY"], []],
    ["delivered", ["SUCCESS"], ["relayed"]],
  ];
  for (const [news, notify, expected] of cases) {
    const conclusions = [conclusion(news, notify === undefined ? {} : { notify })];
    assertEquals(await actions({ conclusions }), [...expected], `${news} ${notify}`);
  }
});

Deno.test("a success is reported by whoever saw it last (RFC 3461 5.2)", async () => {
  const conclusions = [conclusion("delivered", { notify: ["SUCCESS"] })];
  assertEquals(await actions({ conclusions }), ["relayed"]);
  assertEquals(await actions({ conclusions, handover: "final" }), ["delivered"]);
  assertEquals(await actions({ conclusions, handover: "dsn" }), []);
});

Deno.test("a notification is mail from the null reverse-path, routed like any other", async () => {
  const { made: [notification], events } = await make({ conclusions: [conclusion("failed")] });
  assert(notification !== undefined);
  const { place, facts, ...record } = notification;
  assert(place.kind === "inline");
  assertEquals(facts, bodyFacts(place.bytes));
  assertEquals(record, {
    id: "01JZ0000000000N1",
    receivedAtMs: NOW_MS,
    reversePath: "",
    body: "7BIT",
    smtpUtf8: false,
    origin: { listener: "local", clientAddress: "", clientPort: 0, helo: "", protocol: "LOCAL" },
    summary: {
      subject: "Undelivered mail returned to sender",
      from: "Mail Delivery System <MAILER-DAEMON@relay.example.org>",
      messageId: "<01JZ0000000000N1@relay.example.org>",
    },
    expiresAtMs: NOW_MS + 24 * HOUR_MS,
    recipients: [{
      forwardPath: "ann@example.org",
      domain: "example.org",
      notify: ["NEVER"],
      state: "queued",
      nextAttemptAtMs: NOW_MS,
    }],
  });
  assertEquals(events, [{
    type: "notified",
    messageId: "01JZ0000000000M1",
    notificationId: "01JZ0000000000N1",
    action: "failed",
    to: "ann@example.org",
  }]);
});

Deno.test("one notification speaks of all recipients of a settlement", async () => {
  const conclusions = [
    conclusion("delayed", { forwardPath: "a@example.com" }),
    conclusion("failed", { forwardPath: "b@example.com" }),
    conclusion(null, { forwardPath: "c@example.com" }),
    conclusion("failed", { forwardPath: "d@example.com", notify: ["NEVER"] }),
  ];
  const { made } = await make({ conclusions });
  assertEquals(made.length, 1);
  const recipients = [...textOf(made[0]).matchAll(/^Final-Recipient: rfc822; (.*)\r$/gm)];
  assertEquals(recipients.map(([, mailbox]) => mailbox), ["a@example.com", "b@example.com"]);
});

Deno.test("statuses have the class of their action (RFC 3464 2.3.4)", async () => {
  const statusOf = async (news: News, notify?: Notify[]): Promise<string | undefined> => {
    const conclusions = [conclusion(news, notify === undefined ? {} : { notify })];
    const { made } = await make({ conclusions });
    return /^Status: (.*)\r$/m.exec(textOf(made[0]))?.[1];
  };
  assertEquals(await statusOf("failed"), "5.1.1");
  assertEquals(await statusOf("delayed"), "4.0.0");
  assertEquals(await statusOf("expired"), "4.4.7");
  assertEquals(await statusOf("delivered", ["SUCCESS"]), "2.0.0");
});

Deno.test("an expiry is explained as one, a delay says how long it goes on", async () => {
  const expired = textOf((await make({ conclusions: [conclusion("expired")] })).made[0]);
  assertMatch(expired, /retried until the message expired/);
  assertMatch(expired, /said: 451 Later/);
  const delayed = textOf((await make({ conclusions: [conclusion("delayed")] })).made[0]);
  assertMatch(delayed, /^Will-Retry-Until: Tue, 01 Jul 2025 10:05:00 \+0000\r$/m);
});

Deno.test("RET, the action and the size decide what comes back (RFC 3461 4.3)", async () => {
  const returned = async (input: Case): Promise<string | undefined> => {
    const { made } = await make(input);
    return /^Content-Type: (message\/rfc822|text\/rfc822-headers)/m.exec(textOf(made[0]))?.[1];
  };
  const failed = [conclusion("failed")];
  const withRet = (ret: "FULL" | "HDRS") => message({ extras: { ret } });
  assertEquals(await returned({ conclusions: failed }), "message/rfc822");
  assertEquals(await returned({ conclusions: failed, message: withRet("FULL") }), "message/rfc822");
  assertEquals(
    await returned({ conclusions: failed, message: withRet("HDRS") }),
    "text/rfc822-headers",
  );
  assertEquals(await returned({ conclusions: [conclusion("delayed")] }), "text/rfc822-headers");
  assertEquals(
    await returned({ conclusions: failed, message: message({ body: "BINARYMIME" }) }),
    "text/rfc822-headers",
  );
  assertEquals(
    await returned({ conclusions: failed, returnLimitBytes: ORIGINAL.length - 1 }),
    "text/rfc822-headers",
  );
});

Deno.test("what REQUIRETLS protected stays protected (RFC 8689 section 5)", async () => {
  const secret = message({ extras: { ret: "FULL", requireTls: true } });
  const { made } = await make({ message: secret, conclusions: [conclusion("failed")] });
  assertEquals(made[0]?.extras, { requireTls: true });
  assertMatch(textOf(made[0]), /^Content-Type: text\/rfc822-headers\r$/m);
});

Deno.test("of a large message no more than the limit is read", async () => {
  let readBytes = 0;
  const sizeBytes = 100 * 1024 * 1024;
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(ORIGINAL);
    for (; readBytes < sizeBytes; readBytes += 1024) yield new Uint8Array(1024);
  };
  const large = message({ facts: { ...bodyFacts(ORIGINAL), sizeBytes } });
  const { made } = await make(
    { message: large, conclusions: [conclusion("failed")], returnLimitBytes: 4096 },
    { sizeBytes, bytes: null, stream },
  );
  assert(readBytes <= 4096);
  assertMatch(textOf(made[0]), /\r\n\r\nSubject: Report\r\nMessage-ID: <1@example.org>\r\n\r\n--/);
});

Deno.test("a message that cannot be read is reported without it", async () => {
  const stream = (): AsyncIterable<Uint8Array> => {
    throw new Error("gone");
  };
  const { made, events } = await make(
    { conclusions: [conclusion("failed")] },
    { sizeBytes: ORIGINAL.length, bytes: null, stream },
  );
  assertNotMatch(textOf(made[0]), /rfc822-headers|message\/rfc822/);
  assertEquals(events.map(({ type }) => type), ["trouble", "notified"]);
});

Deno.test("mail without a reverse-path is never answered to its sender", async () => {
  const bounce = message({ reversePath: "" });
  const lost = [conclusion("failed"), conclusion("delayed"), conclusion("delivered")];
  const silent = await make({ message: bounce, conclusions: lost });
  assertEquals(silent.made, []);
  assertEquals(silent.events.map(({ type }) => type), ["trouble"]);
  const fine = [conclusion("delayed"), conclusion("delivered", { notify: ["SUCCESS"] })];
  assertEquals(await make({ message: bounce, conclusions: fine }), { made: [], events: [] });
});

Deno.test("the postmaster hears of double bounces, but not of those to the postmaster", async () => {
  const postmaster = "postmaster@example.org";
  const local = { ...message().origin, listener: "local" };
  const bounce = message({ reversePath: "", origin: local });
  const conclusions = [conclusion("failed", { notify: ["NEVER"] })];
  const { made: [notification] } = await make({ message: bounce, conclusions, postmaster });
  assertEquals(notification?.recipients[0]?.forwardPath, postmaster);
  assertEquals(notification?.reversePath, "");
  assertMatch(textOf(notification), /has no return address/);
  const again = [conclusion("failed", { forwardPath: postmaster })];
  const { made, events } = await make({ message: bounce, conclusions: again, postmaster });
  assertEquals(made, []);
  assertEquals(events.map(({ type }) => type), ["trouble"]);
});

Deno.test("a reverse-path that is no mailbox cannot be answered", async () => {
  const odd = message({ reversePath: "not a mailbox" });
  const { made, events } = await make({ message: odd, conclusions: [conclusion("failed")] });
  assertEquals(made, []);
  assertEquals(events.map(({ type }) => type), ["trouble"]);
});

Deno.test("a notification that cannot be made whole goes out with the bare facts", async () => {
  const failed = conclusion("failed");
  const damaged = {
    ...failed,
    reply: {
      code: 550,
      enhanced: "5.1.1" as const,
      get lines(): string[] {
        throw new Error("damaged");
      },
    },
  };
  for (const body of [undefined, streamedBody(ORIGINAL)]) {
    const { made, events } = await make({ conclusions: [damaged] }, body);
    const text = textOf(made[0]);
    assertMatch(text, /^Final-Recipient: rfc822;\s?bob@example.com\r$/m);
    assertMatch(text, /^Status: 5\.1\.1\r$/m);
    assertNotMatch(text, /Subject: Report|Hello/);
    assertEquals(events.map(({ type }) => type), ["trouble", "notified"]);
  }
});

function streamedBody(bytes: Uint8Array): MessageBody {
  return {
    sizeBytes: bytes.length,
    bytes: null,
    stream: () => streamOf([bytes]),
  };
}
