/** What an API cannot carry takes the next way, and what it takes only so much of is split. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { startHttpRecorder } from "../support/http_recorder.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { run } from "../cli/support.ts";

const encoder = new TextEncoder();
const HEAD = "From: ada@source.test\r\nTo: bob@one.test\r\nMessage-ID: <1@source.test>\r\n";
const PLAIN = encoder.encode(`${HEAD}Subject: plain\r\n\r\ntext\r\n`);
const SIGNED = encoder.encode(
  `${HEAD}Subject: signed\r\nMIME-Version: 1.0\r\n` +
    'Content-Type: multipart/signed; boundary="b"; protocol="application/pgp-signature"\r\n\r\n' +
    "--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n" +
    "--b\r\nContent-Type: application/pgp-signature\r\n\r\nsignature\r\n--b--\r\n",
);

for (const rawOnly of [true, false]) {
  Deno.test(`api limits: a signed message and an API that takes it apart, raw_only = ${rawOnly}`, async () => {
    await using api = startHttpRecorder(() => ({ kind: "answer", status: 202 }));
    await using office = startRecordingSink();
    await using running = await startInProcessRelay({
      toml: `
        transports.api = { type = "sendgrid", api_key = "key", base_url = "${api.url}" }
        transports.office = { type = "smarthost", hosts = ["127.0.0.1:${office.port}"] }
        routes = [{ name = "all", transports = ["api", "office"], raw_only = ${rawOnly} }]
      `,
    });
    using client = await PlainClient.greet(running.smtpPort);
    const ids: string[] = [];
    for (const data of [PLAIN, SIGNED]) {
      await client.send({ from: "ada@source.test", to: ["bob@one.test"], data });
      const seen = ids.length;
      const delivered = await running.waitFor((event) =>
        event.type === "delivered" && !ids.includes(event.messageId)
      );
      if (delivered.type === "delivered") ids.push(delivered.messageId);
      assertEquals(ids.length, seen + 1);
    }
    await running.stored();
    const subjects = api.requests.map(({ body }) =>
      JSON.parse(new TextDecoder().decode(body)).subject
    );
    assertEquals(subjects, rawOnly ? ["plain"] : ["plain", "signed"]);
    assertEquals(office.messages.length, rawOnly ? 1 : 0);
    const env = { POSTHOUSE_URL: running.origin };
    const { out } = await run(["queue", "show", ids[1] ?? ""], { env });
    const words = rawOnly ? "cannot carry it unchanged: " : "SendGrid accepted it (";
    assertStringIncludes(out, words);
    assertStringIncludes(
      out,
      rawOnly ? "unchanged: multipart/signed" : "changed: multipart/signed",
    );
  });
}

Deno.test("api limits: a message to more recipients than an API takes goes out in parts", async () => {
  const took: string[][] = [];
  await using api = startHttpRecorder(({ body }) => {
    took.push(JSON.parse(new TextDecoder().decode(body)).Destination.ToAddresses);
    return { kind: "answer", status: 200, body: `{"MessageId":"${took.length}"}` };
  });
  await using running = await startInProcessRelay({
    toml: `
      [transports.ses]
      type = "ses"
      region = "eu-west-1"
      access_key_id = "AKID"
      secret_access_key = "secret"
      base_url = "${api.url}"
    `,
  });
  const to = Array.from({ length: 120 }, (_, index) => `user${index}@d${index % 7}.test`);
  using client = await PlainClient.greet(running.smtpPort);
  const { reply } = await client.send({ from: "ada@source.test", to, data: PLAIN });
  assertEquals(reply.code, 250);
  for (const recipient of to) {
    await running.waitFor((event) => event.type === "delivered" && event.recipient === recipient);
  }
  assertEquals(took.flat().sort(), to.sort());
  assertEquals(took.every(({ length }) => length <= 50), true);
});
