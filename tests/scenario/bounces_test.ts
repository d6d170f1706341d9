import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { RelayEvent } from "../../src/observe/events.ts";
import { startHttpRecorder } from "../support/http_recorder.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { type InProcessRelay, startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const encoder = new TextEncoder();
const ENV = { KEY: "a key that nobody guesses" };
const RETURN_ADDRESS = /^b-[0-9a-z]{16}-[0-9a-z]{1,4}-[0-9a-f]{8}-[0-9a-f]{20}@bounces\.test$/;

/** A relay that sends to `port` from return addresses. */
function relayTo(port: number, more = ""): Promise<InProcessRelay> {
  return startInProcessRelay({
    toml: `
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${port}"] }
      ${more}
      [bounces]
      domains = ["bounces.test"]
      key = { env = "KEY" }
      mailboxes = ["fbl@source.test"]
    `,
    env: ENV,
  });
}

/** A notification as RFC 3464 has it. */
function notification(
  { to, recipient, status = "5.1.1", action = "failed", said = "550 5.1.1 No such user" }: {
    to: string;
    recipient: string;
    status?: string;
    action?: string;
    said?: string;
  },
): Uint8Array {
  return encoder.encode([
    ...["From: MAILER-DAEMON@dest.test", `To: ${to}`, "Subject: Undelivered Mail"],
    ...["MIME-Version: 1.0", "Auto-Submitted: auto-replied"],
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    ...["", "--b", "", "It did not arrive.", "", "--b", "Content-Type: message/delivery-status"],
    ...["", "Reporting-MTA: dns; dest.test", "", `Final-Recipient: rfc822; ${recipient}`],
    ...[
      `Action: ${action}`,
      `Status: ${status}`,
      `Diagnostic-Code: smtp; ${said}`,
      "",
      "--b--",
      "",
    ],
  ].join("\r\n"));
}

async function send(
  { smtpPort }: InProcessRelay,
  { from, to, data }: { from: string; to: readonly string[]; data: Uint8Array },
): Promise<string> {
  using client = await PlainClient.greet(smtpPort);
  const { reply } = await client.send({ from, to, data });
  return `${reply.code} ${reply.lines.join(" ")}`;
}

const SENDER = "ada@source.test";
const DATA = sampleMessage({ subject: "hello", lines: ["text"] });

Deno.test("bounces: a recipient is suppressed whose mail came back, and everybody learns of it", async () => {
  await using sink = startRecordingSink();
  await using receiver = startHttpRecorder(() => ({ kind: "answer", status: 204 }));
  await using running = await relayTo(
    sink.port,
    `webhooks = [{ name = "crm", url = "${receiver.url}/in", events = ["bounced"] }]`,
  );
  await send(running, { from: SENDER, to: ["there@dest.test", "gone@dest.test"], data: DATA });
  await sink.waitForMessages(2);
  const [one, other] = sink.messages;
  assert(one !== undefined && other !== undefined);
  assertMatch(one.reversePath, RETURN_ADDRESS);
  assertMatch(other.reversePath, RETURN_ADDRESS);
  assertEquals([one, other].map(({ recipients }) => recipients.length), [1, 1]);
  const gone = [one, other].find(({ recipients }) => recipients[0] === "gone@dest.test");
  const to = (gone?.reversePath ?? "").toUpperCase(); // its case does not matter
  const accepted = await running.waitFor(({ type }) => type === "accepted");
  assert(accepted.type === "accepted");

  const bounce = notification({ to, recipient: "elsewhere@forward.test" });
  assertStringIncludes(await send(running, { from: "", to: [to], data: bounce }), "250");
  const feedback = await running.waitFor(({ type }) => type === "feedback");
  assertEquals(feedback, {
    ...{ type: "feedback", messageId: accepted.messageId, recipient: "gone@dest.test" },
    ...{ kind: "bounced", source: "bounce", reason: "550 5.1.1 No such user", suppressed: true },
  });

  await sink.waitForMessages(3);
  const forwarded = sink.messages[2];
  assertEquals([forwarded?.reversePath, forwarded?.recipients], ["", [SENDER]]);
  const text = new TextDecoder().decode(forwarded?.data);
  assertStringIncludes(text, new TextDecoder().decode(bounce));

  await receiver.waitForRequests(1);
  const [told] = JSON.parse(new TextDecoder().decode(receiver.requests[0]?.body)).events;
  assertEquals([told.type, told.recipient, told.permanent], ["bounced", "gone@dest.test", true]);
  assertEquals(told.message.subject, "hello");
  const detail = await running.relay.store.get(accepted.messageId);
  assert(
    detail?.timeline.some(({ kind, recipients }) => kind === "bounced" && recipients.length === 1),
  );

  const refused = await send(running, { from: SENDER, to: ["gone@dest.test"], data: DATA });
  assertStringIncludes(refused, "550 5.7.1");
  const list = await (await fetch(`${running.origin}/api/v1/suppressions`)).json();
  assertEquals(list.items.length, 1);
  assertEquals([list.items[0].source, list.items[0].reason], ["bounce", "550 5.1.1 No such user"]);
});

Deno.test("bounces: only addresses that the relay made are taken, whoever asks", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port);
  await send(running, { from: SENDER, to: ["there@dest.test"], data: DATA });
  await sink.waitForMessages(1);
  const real = sink.messages[0]?.reversePath ?? "";
  const forged = real.replace(/-([0-9a-f])/, (_, digit) => `-${digit === "0" ? "1" : "0"}`);
  using client = await PlainClient.greet(running.smtpPort);
  await client.command("MAIL FROM:<>");
  for (const wrong of [forged, "nobody@bounces.test", real.replace("-0-", "-1-")]) {
    const { code, lines } = await client.command(`RCPT TO:<${wrong}>`);
    assertEquals([code, lines[0]?.slice(0, 5)], [550, "5.1.1"], wrong);
  }
  assertEquals((await client.command(`RCPT TO:<${real}>`)).code, 250);
  assertEquals((await client.command("RCPT TO:<postmaster@bounces.test>")).code, 250);
});

Deno.test("bounces: mail from nobody, and the relay's own, keeps its reverse-path", async () => {
  await using sink = startRecordingSink({
    judgeRecipient: (address) => address.startsWith("gone@") ? "550 5.1.1 No such user" : null,
  });
  await using running = await relayTo(sink.port);
  await send(running, { from: "", to: ["a@dest.test", "b@dest.test"], data: DATA });
  await sink.waitForMessages(1);
  assertEquals(sink.messages[0]?.reversePath, "");
  assertEquals(sink.messages[0]?.recipients, ["a@dest.test", "b@dest.test"]);
  await send(running, { from: SENDER, to: ["gone@dest.test"], data: DATA });
  await sink.waitForMessages(2);
  const { reversePath, recipients } = sink.messages[1] ?? {};
  assertEquals([reversePath, recipients], ["", [SENDER]]); // refused at once, so the relay tells
});

Deno.test("bounces: a provider's complaint names the message, not the recipient", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port);
  await send(running, { from: SENDER, to: ["grumpy@dest.test"], data: DATA });
  await sink.waitForMessages(1);
  const returned = new TextDecoder().decode(sink.messages[0]?.data);
  const report = encoder.encode([
    ...["From: feedback@dest.test", "To: fbl@source.test", "Subject: FW: hello"],
    ...["MIME-Version: 1.0"],
    'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
    ...["", "--b", "", "Somebody complained.", "", "--b", "Content-Type: message/feedback-report"],
    ...["", "Feedback-Type: abuse", "User-Agent: FBL/1", "Version: 1", "", "--b"],
    ...["Content-Type: message/rfc822", "", returned, "--b--", ""],
  ].join("\r\n"));
  const from = "feedback@dest.test";
  const complain = () => send(running, { from, to: ["fbl@source.test"], data: report });
  for (let time = 0; time < 6; time++) assertStringIncludes(await complain(), "250");
  const isAll = () => running.events.filter(({ type }) => type === "feedback").length === 6;
  await running.waitFor(isAll);
  const feedback = await running.waitFor(({ type }) => type === "feedback");
  assert(feedback.type === "feedback");
  // Whoever saw a header of the message can write this, so nothing follows from it.
  assertEquals([feedback.suppressed, feedback.unproven], [undefined, true]);
  const { items } = await (await fetch(`${running.origin}/api/v1/suppressions`)).json();
  assertEquals([items[0].address, items[0].unproven], ["grumpy@dest.test", true]);
  assert(items[0].expiresAtMs < Date.now() + 8 * 86_400_000);
  await send(running, { from: SENDER, to: ["grumpy@dest.test"], data: DATA });
  await sink.waitForMessages(2);
  assertEquals(sink.messages[1]?.recipients, ["grumpy@dest.test"]);
  assertEquals([feedback.kind, feedback.recipient], ["complained", "grumpy@dest.test"]);
  assertEquals([feedback.source, feedback.reason], ["complaint", "abuse (FBL/1)"]);
});

Deno.test("bounces: what nobody can know is not believed and goes to the postmaster", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(
    sink.port,
    `notifications.postmaster = "ops@source.test"`,
  );
  const data = notification({ to: "fbl@source.test", recipient: "victim@dest.test" });
  await send(running, { from: "", to: ["fbl@source.test"], data });
  await sink.waitForMessages(1);
  assertEquals(sink.messages[0]?.recipients, ["ops@source.test"]);
  assert(!running.events.some(({ type }) => type === "feedback"));
});

Deno.test("bounces: without a postmaster it stays where it can be seen", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port);
  await send(running, { from: "", to: ["fbl@source.test"], data: DATA });
  const bounced = await running.waitFor(({ type }) => type === "bounced");
  assert(bounced.type === "bounced");
  assertStringIncludes(bounced.reply, "554 5.6.0");
});

Deno.test("bounces: a note of absence reaches the sender and suppresses nobody", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port);
  await send(running, { from: SENDER, to: ["away@dest.test"], data: DATA });
  await sink.waitForMessages(1);
  const to = [sink.messages[0]?.reversePath ?? ""];
  const data = encoder.encode(
    "From: away@dest.test\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nAway.\r\n",
  );
  await send(running, { from: "away@dest.test", to, data });
  await sink.waitForMessages(2);
  const { reversePath, recipients } = sink.messages[1] ?? {};
  assertEquals([reversePath, recipients], ["away@dest.test", [SENDER]]);
  assert(!running.events.some(({ type }) => type === "feedback"));
});

Deno.test("bounces: a large one is handed on octet for octet", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port);
  await send(running, { from: SENDER, to: ["gone@dest.test"], data: DATA });
  await sink.waitForMessages(1);
  const to = sink.messages[0]?.reversePath ?? "";
  const bounce = new TextDecoder().decode(notification({ to, recipient: "gone@dest.test" }));
  const returned = ["--b", "Content-Type: message/rfc822", "", "Subject: large", ""];
  const lines = new Array<string>(20_000).fill("x".repeat(70));
  const text = bounce.replace("--b--", [...returned, ...lines, "--b--"].join("\r\n"));
  const data = encoder.encode(text); // more than queue.spool_threshold
  await send(running, { from: "", to: [to], data });
  await sink.waitForMessages(2);
  const came = new TextDecoder().decode(sink.messages[1]?.data);
  assertEquals(came.slice(came.indexOf("From: MAILER-DAEMON")), text);
});

Deno.test("bounces: what the relay itself returns to a bounce mailbox goes no further", async () => {
  await using sink = startRecordingSink({
    judgeRecipient: (address) => address.startsWith("gone@") ? "550 5.1.1 No such user" : null,
  });
  await using running = await relayTo(sink.port);
  await send(running, { from: "fbl@source.test", to: ["gone@dest.test"], data: DATA });
  const isTaken = (event: RelayEvent): boolean =>
    event.type === "delivered" && event.transport === "bounces";
  const taken = await running.waitFor(isTaken);
  assert(taken.type === "delivered");
  assertEquals(taken.reply, "250 2.0.0 Accepted: bounced <gone@dest.test>");
  const list = await (await fetch(`${running.origin}/api/v1/suppressions`)).json();
  assertEquals(list.items[0].address, "gone@dest.test");
  assert(!running.events.some(({ type }) => type === "feedback"));
});

Deno.test("bounces: who holds a return address speaks for its recipient and nobody else", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port);
  await send(running, { from: SENDER, to: ["mallory@dest.test"], data: DATA });
  await sink.waitForMessages(1);
  const to = sink.messages[0]?.reversePath ?? "";
  const { store } = running.relay;
  const command = { kind: "delete" } as const; // as the end of its history does
  await running.waitFor(({ type }) => type === "delivered");
  await running.stored();
  await store.command({ filter: {}, command, nowMs: Date.now(), by: "test" });
  for (const recipient of ["victim@dest.test", "Mallory@dest.test"]) {
    await send(running, { from: "", to: [to], data: notification({ to, recipient }) });
  }
  const feedback = await running.waitFor(({ type }) => type === "feedback");
  assert(feedback.type === "feedback");
  assertEquals(feedback.recipient, "Mallory@dest.test");
  await running.waitFor((event) => event.type === "bounced"); // nobody understands the first one
  const list = await (await fetch(`${running.origin}/api/v1/suppressions`)).json();
  assertEquals(list.items.map(({ address }: { address: string }) => address), [
    "mallory@dest.test",
  ]);
});

Deno.test("bounces: whoever only says that mail passed here cannot say that it arrived", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port);
  await send(running, { from: SENDER, to: ["there@dest.test"], data: DATA });
  await sink.waitForMessages(1);
  const returned = new TextDecoder().decode(sink.messages[0]?.data);
  const claim = async (action: string, status: string): Promise<void> => {
    const facts = { to: "fbl@source.test", recipient: "there@dest.test", action, status };
    const text = new TextDecoder().decode(notification(facts));
    const part = `--b\r\nContent-Type: message/rfc822\r\n\r\n${returned}\r\n--b--`;
    const data = encoder.encode(text.replace("--b--", part));
    await send(running, { from: "", to: ["fbl@source.test"], data });
  };
  await claim("delivered", "2.0.0");
  await claim("failed", "5.1.1");
  await sink.waitForMessages(3); // both go on to the sender
  const told = running.events.filter(({ type }) => type === "feedback");
  assertEquals(told.map((event) => event.type === "feedback" && event.kind), ["bounced"]);
});

Deno.test("bounces: a reload begins and ends return addresses", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port);
  const { relay, config } = running;
  const sendOne = async (count: number): Promise<string> => {
    await send(running, { from: SENDER, to: [`user${count}@dest.test`], data: DATA });
    await sink.waitForMessages(count);
    return sink.messages[count - 1]?.reversePath ?? "";
  };
  const first = await sendOne(1);
  assertMatch(first, RETURN_ADDRESS);
  await relay.reload({ ...config, bounces: { ...config.bounces, senders: ["*@news.test"] } });
  assertEquals(await sendOne(2), SENDER);
  using client = await PlainClient.greet(running.smtpPort);
  await client.command("MAIL FROM:<>");
  assertEquals((await client.command(`RCPT TO:<${first}>`)).code, 250); // those of before hold
  await relay.reload({ ...config, bounces: { ...config.bounces, domains: [] } });
  assertEquals(await sendOne(3), SENDER);
});

Deno.test("bounces: a sender whose mail goes back to the return address ends in no loop", async () => {
  await using sink = startRecordingSink();
  await using running = await relayTo(sink.port, `limits.received_hops = 5`);
  await send(running, { from: SENDER, to: ["gone@dest.test"], data: DATA });
  await sink.waitForMessages(1);
  const to = sink.messages[0]?.reversePath ?? "";
  let data = notification({ to, recipient: "gone@dest.test" });
  let reply = "";
  let rounds = 0;
  for (; rounds < 20; rounds++) {
    reply = await send(running, { from: "", to: [to], data });
    if (!reply.startsWith("250")) break;
    await sink.waitForMessages(rounds + 2);
    data = Uint8Array.from(sink.messages[rounds + 1]?.data ?? []);
  }
  assertEquals(rounds, 6);
  assertStringIncludes(reply, "554 5.4.6");
});
