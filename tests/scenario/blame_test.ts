import { assertEquals } from "@std/assert";
import { startHttpRecorder } from "../support/http_recorder.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const MESSAGES = 8;

Deno.test("an API that blames one recipient is asked again for the others, and is in no trouble", async () => {
  await using api = startHttpRecorder(({ body }) => {
    const { personalizations } = JSON.parse(new TextDecoder().decode(body));
    for (const [index, { to }] of personalizations.entries()) {
      const place = to.findIndex(({ email }: { email: string }) => email.startsWith("bad"));
      if (place < 0) continue;
      const field = `personalizations.${index}.to.${place}.email`;
      const errors = [{ message: "Does not contain a valid address.", field, help: null }];
      return { kind: "answer", status: 400, body: JSON.stringify({ errors }) };
    }
    return { kind: "answer", status: 202, headers: { "x-message-id": "1" } };
  });
  await using running = await startInProcessRelay({
    toml: `
      [transports.sendgrid]
      type = "sendgrid"
      api_key = "key"
      base_url = "${api.url}"
      [delivery]
      down = "1h"
      max_down = "1h"
    `,
  });
  using client = await PlainClient.greet(running.smtpPort);
  const data = sampleMessage({ subject: "blame", lines: ["text"] });
  for (let count = 0; count < MESSAGES; count++) {
    const to = ["visible@dest.test", `bad${count}@dest.test`, `good${count}@dest.test`];
    await client.send({ from: "ada@source.test", to, data });
  }
  for (let count = 0; count < MESSAGES; count++) {
    for (const [type, name] of [["bounced", "bad"], ["delivered", "good"]] as const) {
      const recipient = `${name}${count}@dest.test`;
      await running.waitFor((event) => event.type === type && event.recipient === recipient);
    }
  }
  assertEquals(running.events.filter(({ type }) => type === "destination_down"), []);
  assertEquals(running.events.filter(({ type }) => type === "deferred"), []);
});
