import { assert, assertEquals } from "@std/assert";
import { type HttpRecorder, startHttpRecorder } from "../support/http_recorder.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

interface Told {
  readonly type: string;
  readonly recipient?: string;
  readonly message: { readonly id: string; readonly subject: string };
}

Deno.test("webhooks: a receiver hears what became of a message, in order", async () => {
  await using receiver = startHttpRecorder(() => ({ kind: "answer", status: 204 }));
  await using sink = startRecordingSink({
    judgeRecipient: (address) => address.startsWith("gone@") ? "550 5.1.1 No such mailbox" : null,
  });
  await using running = await startInProcessRelay({
    toml: `
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      webhooks = [{ name = "crm", url = "${receiver.url}/in", secret = { env = "KEY" } }]
    `,
    env: { KEY: "shared" },
  });
  using client = await PlainClient.greet(running.smtpPort);
  await client.send({
    from: "ada@source.test",
    to: ["there@dest.test", "gone@dest.test"],
    data: sampleMessage({ subject: "told", lines: ["text"] }),
  });
  const accepted = await running.waitFor(({ type }) => type === "accepted");
  assert(accepted.type === "accepted");
  await running.waitFor((event) => event.type === "bounced");
  await running.waitFor((event) => event.type === "delivered");
  const told = async (): Promise<Told[]> => {
    const decoder = new TextDecoder();
    const all = receiver.requests.flatMap(({ body }): Told[] =>
      JSON.parse(decoder.decode(body)).events
    );
    await Promise.resolve();
    return all.filter(({ message }) => message.id === accepted.messageId);
  };
  for (let count = 1; (await told()).length < 3; count++) await receiver.waitForRequests(count);
  const events = await told();
  assertEquals(events[0]?.type, "accepted");
  assertEquals(events[0]?.message.subject, "told");
  assertEquals(
    events.slice(1).map(({ type, recipient }) => `${type} ${recipient}`).sort(),
    ["bounced gone@dest.test", "delivered there@dest.test"],
  );
  assert(receiver.requests.every(({ headers }) => headers.has("x-posthouse-signature")));
});

/** All events that a receiver took, in the order in which they came. */
function toldOf(receiver: HttpRecorder): (Told & { readonly by?: string })[] {
  const decoder = new TextDecoder();
  return receiver.requests.flatMap(({ body }) => JSON.parse(decoder.decode(body)).events);
}

/** Waits until a receiver was told of what fits. */
async function waitUntilTold(
  receiver: HttpRecorder,
  fits: (told: Told) => boolean,
): Promise<void> {
  for (let count = 1; !toldOf(receiver).some(fits); count++) await receiver.waitForRequests(count);
}

async function call(url: string, { method, body }: { method: string; body: unknown }) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
  assert(response.ok, `${response.status} of ${url}`);
  return await response.json();
}

Deno.test("webhooks: every kind of event is told, those of a message in their order", async () => {
  await using receiver = startHttpRecorder(() => ({ kind: "answer", status: 204 }));
  await using sink = startRecordingSink({
    judgeRecipient: (address, seen) => {
      if (address.startsWith("gone@")) return "550 5.1.1 No such mailbox";
      if (address.startsWith("never@")) return "451 4.7.1 Never";
      return address.startsWith("later@") && seen === 0 ? "451 4.7.1 Later" : null;
    },
  });
  await using running = await startInProcessRelay({
    toml: `
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      webhooks = [{ name = "crm", url = "${receiver.url}/in" }]
      queue = { retry = ["1s"], retry_jitter = 0, expire = "2s" }
    `,
  });
  const api = `${running.origin}/api/v1`;
  await call(`${api}/suppressions/unwanted@dest.test`, { method: "PUT", body: { reason: "x" } });
  const names = ["there", "gone", "later", "never", "unwanted"];
  const to = names.map((name) => `${name}@dest.test`);
  const { id } = await call(`${api}/messages`, {
    method: "POST",
    body: { from: "ada@source.test", to, subject: "told", text: "text" },
  });
  const sendAt = Date.now() + 3_600_000;
  const held: string[] = [];
  for (const subject of ["one", "two", "three"]) {
    const { id } = await call(`${api}/messages`, {
      method: "POST",
      body: { from: "ada@source.test", to: "there@dest.test", subject, text: "text", sendAt },
    });
    held.push(id);
  }
  const [one = "", ...others] = held;
  await call(`${api}/messages/${one}/actions/hold`, { method: "POST", body: {} });
  await call(`${api}/messages/actions/hold`, { method: "POST", body: { filter: { ids: others } } });
  await waitUntilTold(receiver, ({ type }) => type === "expired");
  for (const heldId of held) {
    await waitUntilTold(receiver, ({ type, message }) => type === "held" && message.id === heldId);
  }

  const all = toldOf(receiver);
  const stepsOf = (name: string): string[] =>
    all.filter(({ message, recipient }) => message.id === id && recipient === `${name}@dest.test`)
      .map(({ type }) => type);
  assertEquals(all.find(({ message }) => message.id === id)?.type, "accepted");
  assertEquals(stepsOf("there"), ["delivered"]);
  assertEquals(stepsOf("gone"), ["bounced"]);
  assertEquals(stepsOf("later"), ["deferred", "delivered"]);
  assertEquals(stepsOf("unwanted"), ["suppressed"]);
  const never = stepsOf("never");
  assertEquals([never.at(-1), ...new Set(never.slice(0, -1))], ["expired", "deferred"]);
  for (const [index, subject] of ["one", "two", "three"].entries()) {
    const told = all.filter(({ message }) => message.id === held[index]);
    assertEquals(told.map(({ type }) => type), ["accepted", "held"]);
    assert(told.every(({ message }) => message.subject === subject));
    assert(told[1]?.by !== undefined && told[1].by !== "delivery");
  }
});

Deno.test("webhooks: what was told can be told again from any time on, and all is logged", async () => {
  let isDown = true;
  await using receiver = startHttpRecorder(() => {
    const status = isDown ? 503 : 200;
    isDown = false;
    return { kind: "answer", status };
  });
  await using sink = startRecordingSink();
  await using running = await startInProcessRelay({
    toml: `
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      webhooks = [{ name = "crm", url = "${receiver.url}/in", events = ["delivered"] }]
    `,
  });
  const api = `${running.origin}/api/v1`;
  const startMs = Date.now();
  for (const name of ["ada", "bob"]) {
    const body = { from: "app@source.test", to: `${name}@dest.test`, text: "text" };
    await call(`${api}/messages`, { method: "POST", body });
    const recipient = `${name}@dest.test`;
    await running.waitFor((event) => event.type === "delivered" && event.recipient === recipient);
  }
  await waitUntilTold(receiver, ({ recipient }) => recipient === "bob@dest.test");
  const first = receiver.requests.length;
  await receiver.waitForRequests(2); // the one that failed comes again
  await call(`${api}/webhooks/crm/replay`, { method: "POST", body: { fromMs: startMs } });
  await receiver.waitForRequests(Math.max(first, 2) + 1);
  const again = toldOf(receiver).filter(({ recipient }) => recipient === "ada@dest.test");
  assert(again.length >= 3, "it failed, was repeated and replayed");
  const { items } = await (await fetch(`${api}/webhooks/log`)).json();
  assertEquals(items.at(-1)?.status, 503);
  assertEquals(items.at(-2)?.status, 200);
});
