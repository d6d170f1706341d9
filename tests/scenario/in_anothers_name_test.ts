/** Clients that write in names that are not theirs. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeText } from "../../src/base/bytes.ts";
import { generateKey } from "../../src/signing/key.ts";
import { PlainClient } from "../support/plain_client.ts";
import { type RecordingSink, startRecordingSink } from "../support/recording_sink.ts";
import { type InProcessRelay, startInProcessRelay } from "../support/relay_in_process.ts";
import { authority, startSecureRelay, userTable } from "../smtp/server/secure_relay.ts";

const PEM = generateKey({ type: "ed25519" });
const TOKEN = "a-key-of-the-shop-0123456789";
const FREE_TOKEN = "a-key-that-may-envelope-0123456789";

/** Header sections of somebody who may be *@shop.example and would rather be the boss. */
const FORGED: readonly string[] = [
  "From: ceo@relay.example\r\n",
  " \r\nFrom: ceo@relay.example\r\n",
  "\tfolded onto the field before\r\nFrom: ceo@relay.example\r\n",
  "From someone Mon Jan  1 00:00:00 2026\r\nFrom: ceo@relay.example\r\n",
  ">From someone Mon Jan  1 00:00:00 2026\r\nFrom: ceo@relay.example\r\n",
  "no field\r\nFrom: ceo@relay.example\r\n",
  "From: a@shop.example\r\nFrom: ceo@relay.example\r\n",
  "From: ceo@relay.example\r\nFrom: a@shop.example\r\n",
  "From : ceo@relay.example\r\nX: y\r\n",
  "From: a@shop.example\r\n \r\nFrom: ceo@relay.example\r\n",
  "From: <a@shop.example> <ceo@relay.example>\r\n",
  "From: a@shop.example <ceo@relay.example>\r\n",
  "From: ceo@relay.example <a@shop.example>\r\n",
  'From: "ceo@relay.example" <a@shop.example>\r\n',
  "From: =?utf-8?q?ceo=40relay=2Eexample?= <a@shop.example>\r\n",
  "From: =?utf-8?q?ceo?=\r\n =?utf-8?q?=40relay.example=2C?= <a@shop.example>\r\n",
  "From: a@shop.example, ceo@relay.example\r\n",
  "From: a@shop.example ceo@relay.example\r\n",
  "From: Staff: a@shop.example, ceo@relay.example;\r\n",
  "From: a@shop.example (ceo@relay.example)\r\n",
  "From: (a@shop.example) ceo@relay.example\r\n",
  "From: <@shop.example:ceo@relay.example>\r\n",
  'From: "a@shop.example <ceo@relay.example>\r\n',
  'From: "ceo@relay.example "@shop.example\r\n',
  "From: c\xc3\xa9o@relay.example\r\n",
  "From: ceo\xef\xbc\xa0relay.example <a@shop.example>\r\n",
  "From: \xe9 <a@shop.example>\r\n",
  "From: ceo\r\n",
  "From:\r\n",
  "Subject: nobody\r\n",
  "From: a@shop.example\r\nSender: ceo@relay.example\r\n",
  "From: a@shop.example\r\nSender: a@shop.example\r\nSender: a@shop.example\r\n",
  "From: a@shop.example\r\nResent-From: ceo@relay.example\r\n",
  "From: a@shop.example\r\nResent-Sender: ceo@relay.example\r\n",
];

const HONEST: readonly string[] = [
  "From: a@shop.example\r\n",
  'From: "Shop, the" <a@shop.example>, b@shop.example\r\nSender: a@shop.example\r\n',
  "From: J\xc3\xb6rg <a@shop.example>\r\nSubject: x\r\n",
  "From: a@shop.example (Cron Daemon)\r\n",
  'From: "a@shop.example" <a@shop.example>\r\n',
];

const DKIM = `
  [[dkim]]
  domain = "relay.example"
  selector = "s1"
  key = { env = "DKIM_KEY" }
  [[dkim]]
  domain = "shop.example"
  selector = "s1"
  key = { env = "DKIM_KEY" }
`;

function octets(head: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(`${head}\r\nText\r\n`, (char) => char.charCodeAt(0));
}

function signers(message: string): string[] {
  return [...message.matchAll(/^DKIM-Signature:[^]*?\bd=([a-z.]+);/gm)].map(([, by = ""]) => by);
}

async function startShop(sink: RecordingSink, toml = ""): Promise<InProcessRelay> {
  return await startInProcessRelay({
    toml: `
      queue.retry = ["1s"]
      transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }
      [[admin.tokens]]
      name = "shop"
      role = "sender"
      senders = ["*@shop.example"]
      token = "${TOKEN}"
      [[admin.tokens]]
      name = "envelope"
      role = "sender"
      senders = ["*@shop.example"]
      sender_check = "envelope"
      token = "${FREE_TOKEN}"
      ${DKIM}
      ${toml}
    `,
    env: { DKIM_KEY: PEM },
  });
}

/** Hands in a whole message by HTTP; the status of the answer. */
async function submit(origin: string, head: string, token = TOKEN): Promise<number> {
  const response = await fetch(
    `${origin}/api/v1/messages?from=a@shop.example&to=user@sink.test`,
    {
      method: "POST",
      headers: { "content-type": "message/rfc822", authorization: `Bearer ${token}` },
      body: octets(head),
    },
  );
  await response.body?.cancel();
  return response.status;
}

Deno.test("in another's name: a key with senders is refused each way to write another author", async () => {
  await using sink = startRecordingSink();
  await using running = await startShop(sink);
  for (const head of FORGED) assertEquals(await submit(running.origin, head), 422, head);
  const line = "From someone Mon Jan  1 00:00:00 2026\r\n";
  assertEquals(await submit(running.origin, `${line}${HONEST[0]}`), 422);
  for (const head of HONEST) assertEquals(await submit(running.origin, head), 201, head);
  await sink.waitForMessages(HONEST.length);
  for (const { data } of sink.messages) {
    assertEquals(signers(decodeText(data)), ["shop.example"]);
  }
});

Deno.test("in another's name: a key held to the envelope alone is not signed for others", async () => {
  await using sink = startRecordingSink();
  await using running = await startShop(sink);
  const others = ["From: ceo@relay.example\r\n", "From: <a@shop.example> <ceo@relay.example>\r\n"];
  for (const head of others) assertEquals(await submit(running.origin, head, FREE_TOKEN), 201);
  await sink.waitForMessages(2);
  for (const { data } of sink.messages) assertEquals(signers(decodeText(data)), []);
  assertEquals(await submit(running.origin, HONEST[0] ?? "", FREE_TOKEN), 201);
  await sink.waitForMessages(3);
  assertEquals(signers(decodeText(sink.messages[2]?.data ?? new Uint8Array())), ["shop.example"]);
});

Deno.test("in another's name: each personalization of SendGrid's form is looked at", async () => {
  await using sink = startRecordingSink();
  await using running = await startShop(sink);
  const send = async (from: string, headers: Record<string, string> = {}): Promise<number> => {
    const response = await fetch(`${running.origin}/compat/sendgrid/v3/mail/send`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({
        from: { email: "a@shop.example" },
        subject: "x",
        content: [{ type: "text/plain", value: "Text" }],
        personalizations: [
          { to: [{ email: "user@sink.test" }] },
          { to: [{ email: "user@sink.test" }], from: { email: from }, headers },
        ],
      }),
    });
    await response.body?.cancel();
    return response.status;
  };
  assert(await send("ceo@relay.example") >= 400);
  for (const name of ["From", "Sender", "Resent-From", "sender ", "X\r\nFrom"]) {
    assert(await send("a@shop.example", { [name]: "ceo@relay.example" }) >= 400, name);
  }
  assertEquals((await running.relay.store.list({ filter: {}, limit: 5 })).items.length, 0);
  assertEquals(await send("b@shop.example"), 202);
});

Deno.test("in another's name: a user with senders is held to them in the header section", async () => {
  const table = await userTable("shop", "secret of the shop");
  await using bench = await startSecureRelay({
    listener: `tls = "required"\nauth = "required"`,
    settings: `${table}senders = ["*@shop.example"]\n[limits]\nerrors = 100\n`,
  });
  const names = { hostname: "relay.test", caCerts: [authority.certificate] };
  using client = await PlainClient.greetInTls(bench.port, names);
  const secret = btoa("\0shop\0secret of the shop");
  assertEquals((await client.command(`AUTH PLAIN ${secret}`)).code, 235);
  const to = ["user@sink.test"];
  for (const head of FORGED) {
    const { reply } = await client.send({ from: "a@shop.example", to, data: octets(head) });
    assert(reply.code >= 550, `${reply.code} ${head}`);
    await client.command("RSET");
  }
  for (const head of HONEST) {
    const { reply } = await client.send({ from: "a@shop.example", to, data: octets(head) });
    assertEquals(reply.code, 250, head);
  }
});

Deno.test("in another's name: nothing that a stranger sends goes on with our trace field", async () => {
  await using sink = startRecordingSink();
  await using running = await startShop(sink, `[relay]\ndomains = ["sink.test"]`);
  using client = await PlainClient.greet(running.smtpPort);
  const heads = [" by the bank.example\r\n", "\t\r\n", "no field\r\n"];
  for (const head of heads) {
    const data = octets(`${head}From: ceo@relay.example\r\n`);
    const { reply } = await client.send({ from: "x@y.example", to: ["user@sink.test"], data });
    assertEquals(reply.code, 250);
  }
  await sink.waitForMessages(heads.length);
  for (const [index, head] of heads.entries()) {
    const message = sink.messages.find(({ data }) => decodeText(data).includes(`\r\n\r\n${head}`));
    assert(message !== undefined, `${index}`);
    assertMatch(decodeText(message.data), /^Received: [^\r\n]*\r\n(?:\t[^\r\n]*\r\n)*\r\n/);
  }
});
