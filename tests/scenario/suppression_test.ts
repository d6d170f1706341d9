import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import { openSqliteStore } from "../../src/queue/sqlite/store.ts";
import { SuppressionList } from "../../src/queue/suppressions.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const DATA = sampleMessage({ subject: "suppressed", lines: ["text"] });

Deno.test("suppression: SMTP clients learn of it at RCPT, others when it would have left", async () => {
  await using sink = startRecordingSink();
  await using running = await startInProcessRelay({
    toml: `transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }`,
  });
  const put = await fetch(`${running.origin}/api/v1/suppressions/Gone@dest.test`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ reason: "left the company" }),
  });
  assertEquals(put.status, 200);
  await put.body?.cancel();

  using client = await PlainClient.greet(running.smtpPort);
  await client.command("MAIL FROM:<ada@source.test>");
  assertEquals((await client.command("RCPT TO:<gone@dest.test>")).code, 550);
  assertEquals((await client.command("RCPT TO:<there@dest.test>")).code, 250);
  await client.command("RSET");

  const response = await fetch(
    `${running.origin}/api/v1/messages?${new URLSearchParams([
      ["from", ""],
      ["to", "gone@dest.test"],
      ["to", "there@dest.test"],
    ])}`,
    { method: "POST", headers: { "content-type": "message/rfc822" }, body: new Uint8Array(DATA) },
  );
  assertEquals(response.status, 201);
  const { id } = await response.json();
  const event = await running.waitFor(({ type }) => type === "suppressed");
  assert(event.type === "suppressed" && event.messageId === id);
  assertStringIncludes(event.reply, "550 5.7.1 Recipient is on the suppression list: left");
  await running.waitFor((other) => other.type === "delivered" && other.messageId === id);
  await sink.waitForMessages(1);
  assertEquals(sink.messages.map(({ recipients }) => recipients), [["there@dest.test"]]);

  const removed = await fetch(`${running.origin}/api/v1/suppressions/gone@dest.test`, {
    method: "DELETE",
  });
  assertEquals(removed.status, 200);
  await removed.body?.cancel();
  await client.command("MAIL FROM:<ada@source.test>");
  assertEquals((await client.command("RCPT TO:<gone@dest.test>")).code, 250);
});

Deno.test("suppression: what another process puts on the list holds for a running relay", async () => {
  await using running = await startInProcessRelay({ toml: "" });
  await using store = await openSqliteStore({ folder: running.dataDir, mode: "tool" });
  const list = new SuppressionList({ shelf: store.shelf, clock: systemClock });
  using client = await PlainClient.greet(running.smtpPort);
  await client.command("MAIL FROM:<ada@source.test>");
  assertEquals((await client.command("RCPT TO:<gone@dest.test>")).code, 250);
  await list.add({ address: "gone@dest.test", reason: "x", source: "x", expiresAtMs: null });
  for (let code = 250; code === 250;) {
    await client.command("RSET");
    await client.command("MAIL FROM:<ada@source.test>");
    ({ code } = await client.command("RCPT TO:<gone@dest.test>"));
  }
});

Deno.test("suppression: a reply that a rule says so of puts the recipient on the list", async () => {
  await using sink = startRecordingSink({
    judgeRecipient: (address) => address.startsWith("gone@") ? "550 Account closed" : null,
  });
  await using running = await startInProcessRelay({
    toml: `
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      replies = [{ name = "closed", text = "account closed", action = "suppress" }]
    `,
  });
  using client = await PlainClient.greet(running.smtpPort);
  const message = { from: "ada@source.test", to: ["gone@dest.test"], data: DATA };
  assertEquals((await client.send(message)).reply.code, 250);
  const event = await running.waitFor(({ type }) => type === "operated");
  assert(event.type === "operated");
  assertEquals([event.by, event.action, event.target], [
    "delivery",
    "suppressed",
    "gone@dest.test",
  ]);
  assertEquals((await client.send(message)).reply.code, 550);
  const list = await (await fetch(`${running.origin}/api/v1/suppressions`)).json();
  assertEquals([list.items[0].source, list.items[0].reason], ["delivery", "550 Account closed"]);
});

Deno.test("suppression: refusals of mailboxes count as bounces where the config says so", async () => {
  const replies: Readonly<Record<string, string>> = {
    "gone@dest.test": "550 5.1.1 No such user here",
    "blocked@dest.test": "550 5.7.1 Your address is blocked",
  };
  await using sink = startRecordingSink({ judgeRecipient: (address) => replies[address] ?? null });
  await using running = await startInProcessRelay({
    toml: `
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      bounces.refusals = true
    `,
  });
  using client = await PlainClient.greet(running.smtpPort);
  const to = ["blocked@dest.test", "gone@dest.test"];
  await client.send({ from: "ada@source.test", to, data: DATA });
  await running.waitFor(({ type }) => type === "operated");
  await client.command("MAIL FROM:<ada@source.test>");
  assertEquals((await client.command("RCPT TO:<gone@dest.test>")).code, 550);
  assertEquals((await client.command("RCPT TO:<blocked@dest.test>")).code, 250);
});
