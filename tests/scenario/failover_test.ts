import { assert, assertEquals, assertMatch } from "@std/assert";
import type { TimelineEntry } from "../../src/queue/store.ts";
import { startHttpRecorder } from "../support/http_recorder.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { run } from "../cli/support.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { assertOnlyTraceAdded, sampleMessage } from "../support/sample_messages.ts";

/** Three ways out of one route, the last of which is a server. */
function configOf(
  { ses, mailgun, smarthostPort }: { ses: string; mailgun: string; smarthostPort: number },
): string {
  return `
    [transports.ses]
    type = "ses"
    region = "eu-west-1"
    access_key_id = "AKID"
    secret_access_key = "secret"
    base_url = "${ses}"
    [transports.mailgun]
    type = "mailgun"
    domain = "mg.source.test"
    api_key = { env = "MAILGUN_KEY" }
    base_url = "${mailgun}"
    [transports.office]
    type = "smarthost"
    hosts = ["127.0.0.1:${smarthostPort}"]
    [[routes]]
    name = "everything"
    transports = ["ses", "mailgun", "office"]
  `;
}

const PAUSED = {
  kind: "answer",
  status: 400,
  headers: { "x-amzn-errortype": "SendingPausedException" },
  body: `{"message":"Email sending is paused for this account"}`,
} as const;
const TOO_MANY = {
  kind: "answer",
  status: 429,
  headers: { "retry-after": "30" },
  body: `{"message":"Too many requests"}`,
} as const;

/** Transport and outcomes of each attempt, in the order of the timeline. */
function attemptsOf(timeline: readonly TimelineEntry[]): [unknown, string[]][] {
  return timeline.filter(({ kind }) => kind === "attempt").map(({ detail }) => {
    const outcomes = detail["outcomes"] as { kind: string; reply: string }[];
    return [detail["transport"], outcomes.map(({ kind }) => kind)];
  });
}

Deno.test("failover: a paused account, then a rate limit, then a server that takes it", async () => {
  await using ses = startHttpRecorder(() => PAUSED);
  await using mailgun = startHttpRecorder(() => TOO_MANY);
  await using office = startRecordingSink();
  await using running = await startInProcessRelay({
    toml: configOf({ ses: ses.url, mailgun: mailgun.url, smarthostPort: office.port }),
    env: { MAILGUN_KEY: "key" },
  });
  const data = sampleMessage({ subject: "failover", lines: [".dots", "Grüße", "end"] });
  using client = await PlainClient.greet(running.smtpPort);
  const { reply } = await client.send({
    from: "ada@source.test",
    to: ["bob@one.test", "eve@two.test"],
    data,
  });
  assertEquals(reply.code, 250);
  await office.waitForMessages(1);
  const accepted = await running.waitFor(({ type }) => type === "accepted");
  assert(accepted.type === "accepted");
  for (const recipient of ["bob@one.test", "eve@two.test"]) {
    await running.waitFor((event) => event.type === "delivered" && event.recipient === recipient);
  }
  await running.stored();

  const recipients = office.messages.flatMap((message) => message.recipients).sort();
  assertEquals(recipients, ["bob@one.test", "eve@two.test"], "everybody once");
  for (const message of office.messages) {
    assertOnlyTraceAdded({ received: message.data, sent: data });
  }
  const detail = await running.relay.store.get(accepted.messageId);
  assertEquals(detail?.recipients.map(({ state }) => state), ["delivered", "delivered"]);
  const attempts = attemptsOf(detail?.timeline ?? []);
  assertEquals(new Set(attempts.map(([transport]) => transport)).size, 3);
  assertEquals(attempts.slice(0, 2), [
    ["ses", ["broken"]],
    ["mailgun", ["temporary"]],
  ]);
  assert(
    attempts.slice(2).every(([name, kinds]) =>
      name === "office" && kinds.every((kind) => kind === "delivered")
    ),
  );
  const down = running.events.filter(({ type }) => type === "destination_down");
  assertEquals(down.map((event) => "transport" in event && event.transport), ["ses"]);
  assertEquals(running.events.filter(({ type }) => type === "bounced"), []);

  const { out } = await run(["transports", "list"], { env: { POSTHOUSE_URL: running.origin } });
  assertMatch(out, /^ses +ses +(?:down, \S+ \S+|probing) .*SendingPausedException: .* paused/m);
  assertMatch(out, /^mailgun .* Mailgun answered 429: Too many requests$/m);
  assertMatch(out, /^office +smarthost +up /m);
});

Deno.test("failover: the next message does not ask again what is known to be closed", async () => {
  await using ses = startHttpRecorder(() => PAUSED);
  await using mailgun = startHttpRecorder(() => ({
    kind: "answer",
    status: 200,
    body: `{"id":"<1@mg>","message":"Queued"}`,
  }));
  await using office = startRecordingSink();
  await using running = await startInProcessRelay({
    toml: configOf({ ses: ses.url, mailgun: mailgun.url, smarthostPort: office.port }),
    env: { MAILGUN_KEY: "key" },
  });
  using client = await PlainClient.greet(running.smtpPort);
  for (let count = 1; count <= 3; count++) {
    const data = sampleMessage({ subject: `failover ${count}`, lines: ["text"] });
    await client.send({ from: "ada@source.test", to: [`user${count}@one.test`], data });
    const recipient = `user${count}@one.test`;
    await running.waitFor((event) => event.type === "delivered" && event.recipient === recipient);
  }
  assertEquals([ses.requests.length, mailgun.requests.length], [1, 3]);
  assertEquals(office.messages.length, 0);
});
