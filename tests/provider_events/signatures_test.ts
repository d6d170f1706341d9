import https from "node:https";
import { EventEmitter } from "node:events";
import { EventWebhook } from "@sendgrid/eventwebhook";
import { assert, assertEquals } from "@std/assert";
import SnsValidator from "sns-validator";
import { Webhook } from "svix";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { MailgunSource } from "../../src/provider_events/mailgun/source.ts";
import { PostmarkSource } from "../../src/provider_events/postmark/source.ts";
import { ResendSource } from "../../src/provider_events/resend/source.ts";
import { SendgridSource } from "../../src/provider_events/sendgrid/source.ts";
import { ManualClock } from "../support/manual_clock.ts";
import {
  MAILGUN_KEY,
  mailgunBody,
  NOW_MS,
  NOW_SECONDS,
  requestOf,
  sendgridSigner,
  snsSigner,
  SVIX_SECRET,
} from "./support.ts";

const HOUR_MS = 3_600_000;
const OPENED = { event: "opened" };

function mailgun() {
  const clock = new ManualClock(NOW_MS);
  const store = openMemoryStore({ clock });
  const source = new MailgunSource({
    ...{ name: "mg", signingKey: MAILGUN_KEY, shelf: store.shelf },
  });
  const kindOf = async (body: string): Promise<string> =>
    (await source.read(requestOf(body, { nowMs: clock.now() }))).kind;
  return { clock, store, kindOf };
}

Deno.test("mailgun: the signature is HMAC-SHA-256 of time and token", async () => {
  await using store = openMemoryStore();
  const source = new MailgunSource({ name: "mg", signingKey: MAILGUN_KEY, shelf: store.shelf });
  // Made by Python's hmac with the time and the token of Mailgun's own example.
  const signature = {
    timestamp: "1529006854",
    token: "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0",
    signature: "4f7db6483e6b6f3b8420d7b1fef9f707575fd5a2e445630703c1118961c0f7fd",
  };
  const read = async (changed: Partial<typeof signature>, nowMs = 1_529_006_854_000) =>
    (await source.read(requestOf(
      JSON.stringify({ signature: { ...signature, ...changed }, "event-data": OPENED }),
      { nowMs },
    ))).kind;
  assertEquals(await read({}), "reports");
  assertEquals(await read({ timestamp: "1529006855" }), "forged");
  assertEquals(await read({ token: "b".repeat(50) }), "forged");
  assertEquals(await read({ signature: "0".repeat(64) }), "forged");
  assertEquals(await read({ signature: "4f7d" }), "forged");
  assertEquals(await read({ signature: "no hexadecimal" }), "forged");
  assertEquals(await read({}, 1_529_006_854_000 + 10 * HOUR_MS), "forged", "it is old");
  assertEquals(await read({}, 1_529_006_854_000 - HOUR_MS), "forged", "it is yet to come");
});

Deno.test("mailgun: a token stands for one body, also in another process", async () => {
  const { store, kindOf, clock } = mailgun();
  await using _store = store;
  assertEquals(await kindOf(mailgunBody(OPENED)), "reports");
  assertEquals(await kindOf(mailgunBody(OPENED)), "reports", "Mailgun tries again");
  const forged = mailgunBody({ event: "failed", severity: "permanent", reason: "bounce" });
  assertEquals(await kindOf(forged), "forged");
  await clock.advance(8 * HOUR_MS);
  assertEquals(await kindOf(forged), "forged", "as long as its time is good");
  const other = new MailgunSource({ name: "mg", signingKey: MAILGUN_KEY, shelf: store.shelf });
  assertEquals((await other.read(requestOf(forged))).kind, "forged");
  await clock.advance(3 * HOUR_MS);
  assertEquals(await store.shelf.get("mailgun_tokens", `mg ${"a".repeat(50)}`), null);
  assertEquals(await kindOf(mailgunBody(OPENED, { key: "another key" })), "forged");
});

for (const body of ["", "null", "[]", "{}", '{"signature":"x"}', "\u0000"]) {
  Deno.test(`mailgun: ${JSON.stringify(body)} is forged`, async () => {
    const { store, kindOf } = mailgun();
    await using _store = store;
    assertEquals(await kindOf(body), "forged");
  });
}

Deno.test("sendgrid: the vector of its own library is good, and no other", () => {
  const body = '{"category":"example_payload","event":"test_event","message_id":"message_id"}';
  const source = new SendgridSource({
    name: "sg",
    publicKey: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcw" +
      "HBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==",
  });
  const good = {
    "x-twilio-email-event-webhook-signature":
      "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2" +
      "j/0=",
    "x-twilio-email-event-webhook-timestamp": "1588788367",
  };
  const kindOf = (changed: Record<string, string>, text = body, nowMs = 1_588_788_367_000) =>
    source.read(requestOf(text, { headers: { ...good, ...changed }, nowMs })).kind;
  assertEquals(kindOf({}), "malformed", "it is signed, and no list of events");
  assertEquals(kindOf({}, `${body} `), "forged");
  assertEquals(kindOf({ "x-twilio-email-event-webhook-timestamp": "1588788368" }), "forged");
  assertEquals(kindOf({ "x-twilio-email-event-webhook-signature": "MEUC" }), "forged");
  assertEquals(kindOf({ "x-twilio-email-event-webhook-signature": "%%%" }), "forged");
  assertEquals(kindOf({ "x-twilio-email-event-webhook-signature": "" }), "forged");
  assertEquals(kindOf({}, body, 1_588_788_367_000 + 26 * HOUR_MS), "forged", "it is old");
});

Deno.test("sendgrid: its own library and the relay agree", () => {
  const account = sendgridSigner();
  const source = new SendgridSource({ name: "sg", publicKey: account.publicKey });
  const judge = new EventWebhook();
  const key = judge.convertPublicKeyToECDSA(account.publicKey);
  const body = JSON.stringify([{ event: "open", email: "ä@x.example" }]);
  const headers = account.headers(body);
  const { "x-twilio-email-event-webhook-signature": signature = "" } = headers;
  for (const text of [body, body.replace("open", "click")]) {
    const isGood = judge.verifySignature(key, text, signature, NOW_SECONDS);
    assertEquals(source.read(requestOf(text, { headers })).kind === "reports", isGood);
  }
});

Deno.test("resend: what Svix signs is good, and what it refuses is not", () => {
  const source = new ResendSource({ name: "re", signingSecret: SVIX_SECRET });
  const nowMs = Date.now(); // Svix's library knows no other clock
  const body = '{"type": "email.opened",  "data": {}}';
  const judge = new Webhook(SVIX_SECRET);
  const headersFor = (atMs: number, secret = SVIX_SECRET) => ({
    "svix-id": "msg_1",
    "svix-timestamp": String(Math.floor(atMs / 1000)),
    "svix-signature": new Webhook(secret).sign("msg_1", new Date(atMs), body),
  });
  const other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  const good = headersFor(nowMs);
  const cases: Record<string, string>[] = [
    good,
    headersFor(nowMs, other),
    headersFor(nowMs - 6 * 60_000),
    headersFor(nowMs + 6 * 60_000),
    { ...good, "svix-id": "msg_2" },
    { ...good, "svix-signature": `v1,AAAA v2,x ${good["svix-signature"]}` },
    { ...good, "svix-signature": good["svix-signature"].replace("v1,", "v2,") },
    { ...good, "svix-timestamp": "soon" },
    { ...good, "svix-signature": "" },
  ];
  const verdicts = cases.map((headers) => {
    let isGood = true;
    try {
      judge.verify(body, headers);
    } catch {
      isGood = false;
    }
    const { kind } = source.read(requestOf(body, { headers, nowMs }));
    assertEquals(kind === "reports", isGood, JSON.stringify(headers));
    return isGood;
  });
  assertEquals(verdicts.filter((isGood) => isGood).length, 2);
});

Deno.test("postmark: a password or a header field proves who it is", () => {
  const secret = "correct horse battery".replaceAll(" ", "-");
  const source = new PostmarkSource({ name: "pm", secret });
  const kindOf = (headers: Record<string, string>) =>
    source.read(requestOf('{"RecordType":"Open"}', { headers })).kind;
  assertEquals(kindOf({ authorization: `Basic ${btoa(`any:${secret}`)}` }), "reports");
  assertEquals(kindOf({ "x-posthouse-secret": secret }), "reports");
  assertEquals(kindOf({}), "forged");
  assertEquals(kindOf({ authorization: `Basic ${btoa(secret)}` }), "forged");
  assertEquals(kindOf({ authorization: `Basic ${btoa("any:else")}` }), "forged");
  assertEquals(kindOf({ authorization: `Bearer ${secret}` }), "forged");
  assertEquals(kindOf({ authorization: "Basic %%%" }), "forged");
  assertEquals(kindOf({ "x-posthouse-secret": "" }), "forged");
});

/** What Amazon's own validator says of a message; its certificates come from `certificate`. */
function judgedByAmazon(message: Record<string, string>, certificate: string): Promise<boolean> {
  const real = https.get;
  const answer = Object.assign(new EventEmitter(), { statusCode: 200 });
  // deno-lint-ignore no-explicit-any -- stands in for all of its forms
  (https as any).get = (_url: string, done: (answer: EventEmitter) => void) => {
    done(answer);
    answer.emit("data", certificate);
    answer.emit("end");
    return new EventEmitter();
  };
  return new Promise<boolean>((resolve) =>
    new SnsValidator().validate(message, (error: Error | null) => resolve(error === null))
  ).finally(() => {
    https.get = real;
  });
}

Deno.test("ses: messages signed here are what Amazon's validator takes", async () => {
  const { certificate, message } = snsSigner();
  let count = 0;
  for (const SignatureVersion of ["1", "2"]) {
    for (
      const fields of [
        { Message: "ä\nb", Subject: "s" },
        { Type: "SubscriptionConfirmation", Token: "t", SubscribeURL: "https://x.example/" },
      ]
    ) {
      // The validator keeps certificates for ever, by their addresses.
      const SigningCertURL = `https://sns.eu-central-1.amazonaws.com/${++count}.pem`;
      const signed = message({ ...fields, SignatureVersion, SigningCertURL });
      assert(await judgedByAmazon(signed, certificate), SignatureVersion);
      assert(!await judgedByAmazon({ ...signed, Message: "other" }, certificate));
    }
  }
});
