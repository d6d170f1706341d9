import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type HttpRecorder, startHttpRecorder } from "../support/http_recorder.ts";
import { PlainClient } from "../support/plain_client.ts";
import { type InProcessRelay, startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";
import { mailgunBody } from "../provider_events/support.ts";

const KEY = "the signing key of the account";
const MESSAGE_ID = "<20260102.1@mg.source.test>";
const decoder = new TextDecoder();

/** A relay that sends through Mailgun, hears its webhooks, and tells a receiver. */
function relayWith({ mailgun, receiver }: { mailgun: HttpRecorder; receiver: HttpRecorder }) {
  return startInProcessRelay({
    toml: `
      webhooks = [{ name = "crm", url = "${receiver.url}/in" }]
      [transports.mailgun]
      type = "mailgun"
      domain = "mg.source.test"
      api_key = "key"
      base_url = "${mailgun.url}"
      [provider_events]
      port = 0
      [[provider_events.sources]]
      name = "mg"
      provider = "mailgun"
      signing_key = { env = "SIGNING_KEY" }
    `,
    env: { SIGNING_KEY: KEY },
  });
}

/** Where the relay hears of Mailgun. */
async function addressOf(running: InProcessRelay): Promise<string> {
  const event = await running.waitFor((event) =>
    event.type === "listening" && event.listener === "provider_events"
  );
  assert(event.type === "listening");
  return `http://${event.address}/events/mg`;
}

/** The value of a field of the form that Mailgun got. */
function fieldOf({ requests }: HttpRecorder, name: string): string {
  const body = decoder.decode(requests[0]?.body);
  return new RegExp(`name="${name}"\r\n\r\n([^\r]*)`).exec(body)?.[1] ?? "";
}

async function post(url: string, body: string): Promise<number> {
  const response = await fetch(url, { method: "POST", body });
  assertEquals(await response.text(), "");
  return response.status;
}

/** What Mailgun tells of a mailbox that does not exist. */
function bounce(recipient: string, queueId: string): Record<string, unknown> {
  return {
    ...{ event: "failed", severity: "permanent", reason: "bounce", recipient },
    "delivery-status": { code: 550, message: "5.1.1 No such mailbox" },
    message: { headers: { "message-id": MESSAGE_ID.slice(1, -1) } },
    "user-variables": queueId === "" ? {} : { posthouse_id: queueId },
  };
}

function nowSeconds(): string {
  return String(Math.floor(Date.now() / 1000));
}

Deno.test("provider events: Mailgun takes a message, tells that it bounced, and the next one ends here", async () => {
  await using mailgun = startHttpRecorder(() => ({
    ...{ kind: "answer", status: 200 },
    body: JSON.stringify({ id: MESSAGE_ID, message: "Queued. Thank you." }),
  }));
  await using receiver = startHttpRecorder(() => ({ kind: "answer", status: 204 }));
  await using running = await relayWith({ mailgun, receiver });
  const address = await addressOf(running);
  using client = await PlainClient.greet(running.smtpPort);
  const { reply } = await client.send({
    from: "ada@source.test",
    to: ["there@dest.test", "gone@dest.test"],
    data: sampleMessage({ subject: "told", lines: ["text"] }),
  });
  assertEquals(reply.code, 250);
  const accepted = await running.waitFor(({ type }) => type === "accepted");
  assert(accepted.type === "accepted");
  const { messageId } = accepted;
  await running.waitFor((event) =>
    event.type === "delivered" && event.recipient === "gone@dest.test"
  );
  assertEquals(fieldOf(mailgun, "v:posthouse_id"), messageId);

  // Somebody who does not have the key, then Mailgun, which tells by the name that it gave.
  const timestamp = nowSeconds();
  const forged = mailgunBody(bounce("there@dest.test", messageId), { timestamp });
  assertEquals(await post(address, forged), 401);
  const body = mailgunBody(bounce("Gone@dest.test", ""), { key: KEY, timestamp });
  assertEquals(await post(address, body), 200);
  assertEquals(await post(address, body), 200, "Mailgun did not see the answer");

  const told = await (await fetch(`${running.origin}/api/v1/messages/${messageId}`)).json();
  const steps: { kind: string; recipients: number[]; detail: Record<string, unknown> }[] = told
    .timeline.filter(({ kind }: { kind: string }) => kind !== "attempt");
  assertEquals(steps.map(({ kind, recipients }) => [kind, recipients]), [["bounced", [1]]]);
  assertEquals(steps[0]?.detail, {
    ...{ recipient: "Gone@dest.test", source: "mg", suppressed: true },
    reason: "550 5.1.1 No such mailbox",
  });
  const page = await (await fetch(`${running.origin}/messages/${messageId}`)).text();
  assertStringIncludes(page, "Hard bounce");
  assertStringIncludes(page, "Gone@dest.test: 550 5.1.1 No such mailbox, reported by mg");

  await client.command("MAIL FROM:<ada@source.test>");
  const refused = await client.command("RCPT TO:<gone@dest.test>");
  assertEquals(refused.code, 550);
  assertStringIncludes(refused.lines.join(" "), "suppression list");
  const list = await (await fetch(`${running.origin}/api/v1/suppressions`)).json();
  assertEquals(
    list.items.map((item: Record<string, unknown>) => [item["address"], item["source"]]),
    [
      ["gone@dest.test", "mg"],
    ],
  );
  assertEquals((await client.command("RCPT TO:<there@dest.test>")).code, 250);
  assertEquals(mailgun.requests.length, 1);

  for (let count = 1; !bouncedIn(receiver); count++) await receiver.waitForRequests(count);
  const { message, recipient, permanent } = bouncedIn(receiver);
  assertEquals([message.id, message.subject, permanent], [messageId, "told", true]);
  assertEquals(recipient, "Gone@dest.test");
});

Deno.test("provider events: Mailgun's answer is lost, and what it tells keeps mail from leaving twice", async () => {
  await using mailgun = startHttpRecorder(() => ({ kind: "close" }));
  await using receiver = startHttpRecorder(() => ({ kind: "answer", status: 204 }));
  await using running = await relayWith({ mailgun, receiver });
  const address = await addressOf(running);
  using client = await PlainClient.greet(running.smtpPort);
  const data = sampleMessage({ subject: "told", lines: ["text"] });
  await client.send({ from: "ada@source.test", to: ["there@dest.test"], data });
  const uncertain = await running.waitFor(({ type }) => type === "uncertain");
  assert(uncertain.type === "uncertain");
  await running.stored();
  const { messageId } = uncertain;
  const [waiting] = (await running.relay.store.get(messageId))?.recipients ?? [];
  assertEquals([waiting?.state, waiting?.claimedBy], ["queued", null]);

  const event = {
    ...{ event: "delivered", recipient: "there@dest.test" },
    ...{ "delivery-status": { code: 250, message: "OK" } },
    "user-variables": { posthouse_id: fieldOf(mailgun, "v:posthouse_id") },
  };
  const body = mailgunBody(event, { key: KEY, timestamp: nowSeconds() });
  assertEquals(await post(address, body), 200);
  const [there] = (await running.relay.store.get(messageId))?.recipients ?? [];
  assertEquals([there?.state, there?.lastReply], [
    "delivered",
    "250 2.0.0 Accepted, reported by mg",
  ]);
  const delivered = running.events.find(({ type }) => type === "delivered");
  assert(delivered?.type === "delivered" && delivered.transport === "mailgun");
  assertEquals(mailgun.requests.length, 1);
});

// deno-lint-ignore no-explicit-any -- JSON
function bouncedIn({ requests }: HttpRecorder): any {
  return requests.flatMap(({ body }) => JSON.parse(decoder.decode(body)).events)
    .find(({ type }) => type === "bounced");
}
