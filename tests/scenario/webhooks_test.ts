import { assert, assertEquals } from "@std/assert";
import { startHttpRecorder } from "../support/http_recorder.ts";
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
