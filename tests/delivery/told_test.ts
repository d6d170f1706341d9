/** What senders and domains are told: of several recipients at once, and of what came late. */
import { assertEquals, assertMatch } from "@std/assert";
import { decodeText, encodeText } from "../../src/base/bytes.ts";
import { notificationMaker } from "../../src/delivery/bounce.ts";
import { planNotification } from "../../src/delivery/bounce_plan.ts";
import { TlsReportSender } from "../../src/delivery/tls/report_sender.ts";
import type { Conclusion } from "../../src/delivery/conclude.ts";
import { reply } from "../../src/mail/reply.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import type { MessageRecord } from "../../src/queue/store.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { smtpServices } from "../support/smtp_services.ts";

const DAY_MS = 86_400_000;
const ORIGINAL = "Subject: s\r\nMessage-ID: <1@a.example>\r\n\r\nThe body\r\n";

/** What became of a recipient, by its number. */
function conclusionOf(news: Conclusion["news"], index = 0): Conclusion {
  const { recipients: [recipient] } = sampleJob({ recipients: [`r${index}@dest.example`] });
  if (recipient === undefined) throw new Error("no recipient");
  const replies = { failed: reply(550, "5.1.1", "No"), delivered: reply(250, "2.0.0", "OK") };
  return {
    ...{ recipient: { ...recipient, index }, news, disposition: { kind: "hold" } },
    ...{ nextAttemptAtMs: null },
    reply: news === "failed" || news === "delivered" ? replies[news] : reply(451, "4.2.0", "Later"),
  };
}

/** The notification of some conclusions, and what is told besides. */
async function notified(
  conclusions: readonly Conclusion[],
  { message = {}, body = ORIGINAL, returnLimitBytes, postmaster = null, isBroken = false }: {
    message?: Partial<MessageRecord>;
    body?: string;
    returnLimitBytes?: number;
    postmaster?: string | null;
    isBroken?: boolean;
  } = {},
) {
  const events: RelayEvent[] = [];
  const make = notificationMaker({
    ...{ newId: () => "NOTICE", hostname: "relay.example", postmaster, lifetimeMs: DAY_MS },
    emit: (event) => events.push(event),
    ...(returnLimitBytes === undefined ? {} : { returnLimitBytes }),
  });
  const job = sampleJob({ body, message, ...(isBroken ? { streamChunkBytes: 5 } : {}) });
  const stream = () => {
    throw new Error("unreadable");
  };
  const octets = isBroken ? { ...job.body, stream } : job.body;
  const facts = { message: job.message, conclusions, report: null, body: octets, nowMs: DAY_MS };
  const made = await make(facts);
  const texts = made.map(({ place }) => place.kind === "inline" ? decodeText(place.bytes) : "");
  return { made, events, text: texts[0] ?? "" };
}

const has = (text: string) => text.includes("The body");

Deno.test("the message comes back whole where any of its recipients failed, else its header", async () => {
  const mixed = await notified([conclusionOf("delayed"), conclusionOf("failed", 1)]);
  assertEquals(has(mixed.text), true);
  assertEquals(has((await notified([conclusionOf("delayed")])).text), false);
  const failed = [conclusionOf("failed")];
  assertEquals(has((await notified(failed)).text), true);
  for (const extras of [{ ret: "HDRS" }, { requireTls: true }] as const) {
    assertEquals(has((await notified(failed, { message: { extras } })).text), false);
  }
  assertEquals(has((await notified(failed, { message: { body: "BINARYMIME" } })).text), false);
  assertEquals(has((await notified(failed, { message: { extras: { ret: "FULL" } } })).text), true);
});

Deno.test("a message above the limit comes back as its header section", async () => {
  const failed = [conclusionOf("failed")];
  const { length } = encodeText(ORIGINAL);
  assertEquals(has((await notified(failed, { returnLimitBytes: length })).text), true);
  const { text } = await notified(failed, { returnLimitBytes: length - 1 });
  assertEquals([has(text), text.includes("Message-ID: <1@a.example>")], [false, true]);
  const large = `Subject: s\r\n\r\n${"The body\r\n".repeat(6_552)}`;
  assertEquals(has((await notified(failed, { body: `${large}\r\n` })).text), true);
  assertEquals(has((await notified(failed, { body: `${large}x\r\n` })).text), false);
});

Deno.test("a failure is told though the message cannot be read", async () => {
  const { text, events } = await notified([conclusionOf("failed")], { isBroken: true });
  assertMatch(text, /Final-Recipient: rfc822; r0@dest\.example/);
  assertEquals(events.map((event) => [event.type, "level" in event && event.level]), [
    ["trouble", "warning"],
    ["notified", false],
  ]);
});

Deno.test("a notification of a message under REQUIRETLS goes under it, others do not", async () => {
  const failed = [conclusionOf("failed")];
  const { made: [under] } = await notified(failed, { message: { extras: { requireTls: true } } });
  const { made: [plain] } = await notified(failed);
  assertEquals([under?.extras, plain?.extras], [{ requireTls: true }, undefined]);
});

Deno.test("a failure of mail without a sender is reported to the postmaster, a failure of that report is not", async () => {
  const lost = [conclusionOf("failed"), conclusionOf("expired", 1), conclusionOf("delayed", 2)];
  const nobody = { message: { reversePath: "" } };
  const none = await notified(lost, nobody);
  assertEquals([none.made.length, none.events.map(({ type }) => type)], [0, ["trouble"]]);
  const { made: [notice], text } = await notified(lost, { ...nobody, postmaster: "pm@a.example" });
  assertEquals(notice?.recipients.map(({ forwardPath }) => forwardPath), ["pm@a.example"]);
  assertEquals([...text.matchAll(/Final-Recipient: rfc822; (\S+)/g)].map(([, to]) => to), [
    ...["r0@dest.example", "r1@dest.example"],
  ]);
  assertEquals((await notified([conclusionOf("delayed")], nobody)).events, []);
  const origin = { ...sampleJob().message.origin, listener: "local" };
  const own = { message: { reversePath: "", origin }, postmaster: "r0@dest.example" };
  assertEquals((await notified(lost, own)).made.length, 0);
  const outside = { message: { reversePath: "" }, postmaster: "r0@dest.example" };
  assertEquals((await notified(lost, outside)).made.length, 1);
});

Deno.test("what expired says so, for good where the sender set the time", () => {
  const planOf = (extras: MessageRecord["extras"]) => {
    const { message } = sampleJob({ message: extras === undefined ? {} : { extras } });
    const plan = planNotification({
      ...{ message, conclusions: [conclusionOf("expired"), conclusionOf("delayed", 1)] },
      ...{ report: null, nowMs: 5, postmaster: null },
    });
    return plan.kind === "notify" ? plan.recipients : [];
  };
  const [expired, delayed] = planOf(undefined);
  assertEquals([expired?.status, expired?.expired, expired?.willRetryUntilMs], [
    ...["4.4.7", true, undefined],
  ]);
  assertEquals([delayed?.status, delayed?.expired, delayed?.willRetryUntilMs], [
    ...["4.2.0", undefined, 1],
  ]);
  const by = (mode: "R" | "N") => ({ deliverBy: { deadlineMs: 1, mode, trace: false } });
  assertEquals([planOf(by("R"))[0]?.status, planOf(by("N"))[0]?.status], ["5.4.7", "4.4.7"]);
});

Deno.test("connections are counted before and after what was kept is known, each on its day", async () => {
  const clock = new ManualClock(0);
  const written: unknown[] = [];
  const file = {
    read: () => Promise.resolve(undefined),
    write: (value: unknown) =>
      Promise.resolve(void written.push(JSON.parse(JSON.stringify(value)))),
  };
  const sender = new TlsReportSender({
    ...{ ...smtpServices(), clock, file: file as never, newId: () => "id" },
    fetch: () => Promise.reject(new Error("nobody asks")),
    queue: () => Promise.resolve(true),
    reporter: { organization: "Relays", submitter: "relay.example", from: "tls@relay.example" },
  });
  const outcome = { domain: "a", published: { type: "no-policy-found" }, failure: null } as const;
  sender.record(outcome);
  await sender.sendDue();
  sender.record(outcome);
  sender.record({ ...outcome, domain: "b" });
  await sender[Symbol.asyncDispose]();
  const policy = (successes: number) => ({
    ...{ published: outcome.published, successes, failures: 0, details: [] },
  });
  assertEquals(written.at(-1), { "1970-01-01": { a: [policy(2)], b: [policy(1)] } });
  assertEquals(clock.timers, 0);
});
