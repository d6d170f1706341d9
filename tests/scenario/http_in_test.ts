import { assert, assertEquals } from "@std/assert";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Hands in a message in fields. */
async function submit(origin: string, letter: unknown): Promise<Response> {
  return await fetch(`${origin}/api/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", traceparent: TRACEPARENT },
    body: JSON.stringify(letter),
  });
}

Deno.test("mail by HTTP: an alias of the relay is expanded, as for SMTP clients", async () => {
  await using sink = startRecordingSink();
  await using running = await startInProcessRelay({
    toml: `
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      aliases = { "team@relay.test" = ["ada@dest.test", "bob@dest.test"] }
    `,
  });
  const response = await submit(running.origin, {
    ...{ from: "app@source.test", to: "team@relay.test", cc: "bob@dest.test", text: "Hello" },
  });
  assertEquals(response.status, 201);
  const { id } = await response.json();
  await sink.waitForMessages(1);
  const [message] = sink.messages;
  assertEquals([...message?.recipients ?? []].sort(), ["ada@dest.test", "bob@dest.test"]);
  const detail = await running.relay.store.get(id);
  assertEquals(detail?.message.headers?.["traceparent"], [TRACEPARENT]);
});

Deno.test("mail by HTTP: a refusal names the recipient it is about", async () => {
  await using running = await startInProcessRelay({ toml: "" });
  const envelope = new URLSearchParams([
    ["from", "app@source.test"],
    ["to", "ada@dest.test"],
    ["to", "no mailbox"],
  ]);
  const response = await fetch(`${running.origin}/api/v1/messages?${envelope}`, {
    method: "POST",
    headers: { "content-type": "message/rfc822" },
    body: "Subject: hello\r\n\r\nText\r\n",
  });
  assertEquals(response.status, 422);
  const { detail } = await response.json();
  assert(detail.startsWith("501 5.1.3") && detail.endsWith("(no mailbox)"), detail);
});
