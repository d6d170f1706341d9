/** What each interface answers to each end of a request, whoever the client. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { BatchResult } from "../../../src/ingress/submission.ts";
import type { EnhancedCode } from "../../../src/mail/enhanced_code.ts";
import { reply } from "../../../src/mail/reply.ts";
import { CLIENT, CompatBench, KEY, NOW_MS } from "./desk_setup.ts";

/** How one provider's clients send one small message. */
interface Sender {
  readonly path: string;
  readonly headers: (secret: string) => Record<string, string>;
  readonly body: (to: string) => BodyInit;
}

const JSON_TYPE = { "content-type": "application/json" };
const bearer = (secret: string) => ({ ...JSON_TYPE, authorization: `Bearer ${secret}` });

const SENDERS: Readonly<Record<string, Sender>> = {
  mailgun: {
    path: "/mailgun/v3/shop.test/messages",
    headers: (secret) => ({ authorization: `Basic ${btoa(`api:${secret}`)}` }),
    body: (to) => form({ from: "a@shop.test", to, subject: "s", text: "t" }),
  },
  sendgrid: {
    path: "/sendgrid/v3/mail/send",
    headers: bearer,
    body: (to) =>
      JSON.stringify({
        ...{ personalizations: [{ to: [{ email: to }] }], from: { email: "a@shop.test" } },
        content: [{ type: "text/plain", value: "t" }],
      }),
  },
  postmark: {
    path: "/postmark/email",
    headers: (secret) => ({ ...JSON_TYPE, "x-postmark-server-token": secret }),
    body: (to) => JSON.stringify({ From: "a@shop.test", To: to, TextBody: "t" }),
  },
  resend: {
    path: "/resend/emails",
    headers: bearer,
    body: (to) => JSON.stringify({ from: "a@shop.test", to, text: "t" }),
  },
};

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

function refused(
  code: number,
  { enhanced, mailbox }: { enhanced: EnhancedCode; mailbox?: string },
): BatchResult {
  const why = reply(code, enhanced, "Because");
  const recipients = mailbox === undefined ? {} : { recipients: [{ mailbox, reply: why }] };
  return { kind: "refused", reply: why, index: 0, ...recipients };
}

/** Where each provider's client looks for the words and for what kind of failure it is. */
const WORDS: Readonly<Record<string, (body: unknown) => unknown>> = {
  // deno-lint-ignore no-explicit-any -- the answers of four providers
  mailgun: (body: any) => body.message,
  // deno-lint-ignore no-explicit-any
  sendgrid: (body: any) => body.errors[0].message,
  // deno-lint-ignore no-explicit-any
  postmark: (body: any) => body.Message,
  // deno-lint-ignore no-explicit-any
  resend: (body: any) => body.message,
};

const ENDS: readonly {
  readonly name: string;
  readonly answer: BatchResult;
  readonly words: string;
  readonly statuses: Readonly<Record<string, number>>;
}[] = [
  {
    name: "a message that no server takes",
    answer: refused(550, { enhanced: "5.7.1", mailbox: "b@dest.test" }),
    words: "550 5.7.1 Because (b@dest.test)",
    statuses: { mailgun: 400, sendgrid: 400, postmark: 422, resend: 422 },
  },
  {
    name: "a message that is too large",
    answer: refused(552, { enhanced: "5.3.4" }),
    words: "552 5.3.4 Because",
    statuses: { mailgun: 413, sendgrid: 413, postmark: 422, resend: 422 },
  },
  {
    name: "a refusal for now",
    answer: refused(450, { enhanced: "4.7.1" }),
    words: "450 4.7.1 Because",
    statuses: { mailgun: 500, sendgrid: 503, postmark: 503, resend: 503 },
  },
  {
    name: "too many recipients, which later means nothing",
    answer: refused(452, { enhanced: "4.5.3" }),
    words: "452 4.5.3 Because",
    statuses: { mailgun: 400, sendgrid: 400, postmark: 422, resend: 422 },
  },
  {
    name: "a queue that takes nothing",
    answer: { kind: "failed", failure: "full" },
    words: "The queue is temporarily unavailable",
    statuses: { mailgun: 500, sendgrid: 503, postmark: 503, resend: 503 },
  },
  {
    name: "a key that another request has",
    answer: { kind: "conflict", reason: "other_message" },
    words: "This idempotency key belongs to another request",
    statuses: { mailgun: 400, sendgrid: 409, postmark: 409, resend: 409 },
  },
];

for (const [provider, sender] of Object.entries(SENDERS)) {
  const send = (bench: CompatBench, { secret = "good", to = "b@dest.test" } = {}) =>
    bench.ask(sender.path, { headers: sender.headers(secret), body: sender.body(to) });

  for (const { name, answer, words, statuses } of ENDS) {
    Deno.test(`compat answers: ${provider} of ${name}`, async () => {
      const bench = new CompatBench();
      bench.answers.push(answer);
      const { response, body } = await send(bench);
      assertEquals([response.status, WORDS[provider]?.(body)], [statuses[provider], words]);
    });
  }

  Deno.test(`compat answers: ${provider} hands in for the key and the client's address`, async () => {
    const bench = new CompatBench();
    const { response } = await send(bench);
    assertEquals(response.ok, true);
    const by = {
      ...{
        user: "key app",
        identity: "key key1",
        senders: KEY.senders,
        senderCheck: "both" as const,
      },
      clientAddress: CLIENT,
    };
    assertEquals(bench.requests, [{ by }]);
    const [{ from, to, holdUntilMs, smtpUtf8 } = assertNever()] = bench.messages;
    assertEquals([from, to, holdUntilMs, smtpUtf8], [
      ...["a@shop.test", ["b@dest.test"], undefined, false],
    ]);
  });

  Deno.test(`compat answers: ${provider} lets in only keys that may send, and counts others`, async () => {
    const bench = new CompatBench();
    assertEquals((await send(bench, { secret: "wrong" })).response.status, 401);
    assertEquals(bench.failures, [CLIENT]);
    assertEquals((await send(bench, { secret: "" })).response.status, 401);
    assertEquals(bench.failures.length, 2);
    bench.key = { ...KEY, send: false };
    assertEquals((await send(bench)).response.status, 401);
    assertEquals(bench.failures.length, 3);
    bench.key = KEY;
    bench.barred.add(CLIENT);
    assertEquals((await send(bench)).response.status, 401);
    assertEquals([bench.failures.length, bench.messages.length], [3, 0]);
  });

  Deno.test(`compat answers: ${provider} answers no guess that was checked past the limit`, async () => {
    const bench = new CompatBench();
    bench.onVerify = () => bench.barred.add(CLIENT);
    assertEquals((await send(bench)).response.status, 401);
    assertEquals(bench.messages, []);
  });

  Deno.test(`compat answers: ${provider} keeps an error of ours out of the answer`, async () => {
    const bench = new CompatBench();
    const cause = new TypeError("secret detail");
    bench.answers.push(cause);
    const { response, body } = await send(bench);
    assertEquals([response.status, body], [500, { message: "Internal error" }]);
    const message = `Cannot answer POST /compat${sender.path}`;
    assertEquals(bench.events, [
      { type: "trouble", level: "error", component: "http", message, cause },
    ]);
  });

  Deno.test(`compat answers: ${provider} takes bodies up to one and a half sizes and a MiB`, async () => {
    const roomBytes = 1024 * 1024 + 1500;
    for (const [bytes, isTaken] of [[roomBytes - 1000, true], [roomBytes, false]] as const) {
      const bench = new CompatBench();
      const { body } = await bench.ask(sender.path, {
        headers: sender.headers("good"),
        body: provider === "mailgun"
          ? form({ from: "a@shop.test", to: "b@dest.test", text: "x".repeat(bytes) })
          : `${sender.body("b@dest.test")}${" ".repeat(bytes)}`,
      });
      assertEquals(bench.messages.length, isTaken ? 1 : 0);
      if (!isTaken) assertEquals(WORDS[provider]?.(body), "The message is larger than allowed");
    }
  });

  Deno.test(`compat answers: ${provider} takes the trace of the request along`, async () => {
    const bench = new CompatBench();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const headers = { ...sender.headers("good"), traceparent };
    await bench.ask(sender.path, { headers, body: sender.body("b@dest.test") });
    assertEquals(bench.requests[0]?.traceparent, traceparent);
  });

  Deno.test(`compat answers: ${provider} says which mailbox needs SMTPUTF8`, async () => {
    const bench = new CompatBench();
    await send(bench, { to: "jörg@dest.test" });
    assertEquals(bench.messages[0]?.smtpUtf8, true);
  });
}

function assertNever(): never {
  throw new Error("nothing was handed in");
}

Deno.test("compat answers: what is at no known address", async () => {
  const bench = new CompatBench();
  const { response, body } = await bench.ask("/other/x");
  assertEquals([response.status, body], [404, {
    message: "POST /compat/other/x is not supported",
  }]);
});

Deno.test("compat answers: each provider's words for what is queued", async () => {
  const ask = async (provider: string) => {
    const sender = SENDERS[provider] ?? assertNever();
    const body = sender.body("b@dest.test");
    return await new CompatBench().ask(sender.path, { headers: sender.headers("good"), body });
  };
  assertEquals((await ask("mailgun")).body, {
    ...{ id: "<ID0@relay.test>", message: "Queued. Thank you." },
  });
  const sendgrid = await ask("sendgrid");
  assertEquals([sendgrid.response.status, sendgrid.response.headers.get("x-message-id")], [
    ...[202, "ID0"],
  ]);
  assertEquals((await ask("postmark")).body, {
    ...{ To: "b@dest.test", SubmittedAt: new Date(NOW_MS).toISOString() },
    ...{ MessageID: "ID0", ErrorCode: 0, Message: "OK" },
  });
  assertEquals((await ask("resend")).body, { id: "ID0" });
});

Deno.test("compat answers: postmark's batch answers for each message, at most 500", async () => {
  const bench = new CompatBench();
  bench.answers.push(
    refused(450, { enhanced: "4.7.1" }),
    refused(550, { enhanced: "5.7.1" }),
  );
  const letter = {
    From: "a@shop.test",
    To: "b@dest.test",
    Cc: "c@dest.test",
    Bcc: "d@dest.test",
    TextBody: "x",
  };
  const headers = { ...JSON_TYPE, "x-postmark-server-token": "good" };
  const ask = (items: unknown) =>
    bench.ask("/postmark/email/batch", { headers, body: JSON.stringify(items) });
  const { body } = await ask([letter, letter, letter, { From: 1 }]);
  const answers = body as { ErrorCode: number; Cc?: string; Bcc?: string; Message: string }[];
  assertEquals(answers.map(({ ErrorCode }) => ErrorCode), [100, 300, 0, 300]);
  assertEquals([answers[2]?.Cc, answers[2]?.Bcc], ["c@dest.test", "d@dest.test"]);
  assertStringIncludes(answers[3]?.Message ?? "", "`From`");
  const tooMany = await ask(Array(501).fill(letter));
  assertEquals([tooMany.response.status, (tooMany.body as { ErrorCode: number }).ErrorCode], [
    ...[422, 402],
  ]);
  const most = await ask(Array(500).fill(letter));
  assertEquals((most.body as unknown[]).length, 500);
  assertEquals((await ask("no list")).response.status, 422);
});

Deno.test("compat answers: a token that is wrong gets postmark's and resend's own words", async () => {
  const bench = new CompatBench();
  const postmark = await bench.ask("/postmark/email/batch", { body: "[]" });
  assertEquals([postmark.response.status, (postmark.body as { ErrorCode: number }).ErrorCode], [
    ...[401, 10],
  ]);
  const resend = await bench.ask("/resend/emails", { body: "{}" });
  assertEquals(resend.body, {
    ...{ statusCode: 401, name: "invalid_api_key", message: "API key is invalid" },
  });
});

Deno.test("compat answers: resend's batch has 1 to 100 messages, and keys 1 to 256 characters", async () => {
  const letter = { from: "a@shop.test", to: "b@dest.test", text: "t" };
  const ask = (count: number, key?: string) =>
    new CompatBench().ask("/resend/emails/batch", {
      headers: { ...bearer("good"), ...(key === undefined ? {} : { "idempotency-key": key }) },
      body: JSON.stringify(Array(count).fill(letter)),
    });
  assertEquals((await ask(0)).response.status, 422);
  assertEquals((await ask(100)).response.status, 200);
  assertEquals((await ask(101)).response.status, 422);
  assertEquals((await ask(1, "k".repeat(256))).response.status, 200);
  assertEquals((await ask(1, "k".repeat(257))).response.status, 422);
  assertEquals((await ask(1, "")).response.status, 422);
});

Deno.test("compat answers: resend's key goes along with a fingerprint of the body", async () => {
  const prints: (string | undefined)[] = [];
  for (const subject of ["one", "one", "two"]) {
    const bench = new CompatBench();
    await bench.ask("/resend/emails", {
      headers: { ...bearer("good"), "idempotency-key": "k" },
      body: JSON.stringify({ from: "a@shop.test", to: "b@dest.test", text: "t", subject }),
    });
    assertEquals(bench.requests[0]?.key, "k");
    prints.push(bench.requests[0]?.fingerprint);
  }
  assertEquals([prints[0] === prints[1], prints[0] === prints[2]], [true, false]);
  assertEquals(prints[0]?.length, 64);
});

Deno.test("compat answers: resend's batches take their key along, whole or permissive", async () => {
  for (const validation of ["strict", "permissive"]) {
    const bench = new CompatBench();
    await bench.ask("/resend/emails/batch", {
      headers: { ...bearer("good"), "x-batch-validation": validation, "idempotency-key": "k" },
      body: JSON.stringify([{ from: "a@shop.test", to: "b@dest.test", text: "t" }]),
    });
    assertEquals([bench.requests[0]?.key, bench.requests[0]?.fingerprint?.length], ["k", 64]);
  }
});

Deno.test("compat answers: resend's permissive batch stops when the queue takes nothing", async () => {
  const bench = new CompatBench();
  bench.answers.push({ ...refused(450, { enhanced: "4.7.1" }) });
  const letter = { from: "a@shop.test", to: "b@dest.test", text: "t" };
  const { response } = await bench.ask("/resend/emails/batch", {
    headers: { ...bearer("good"), "x-batch-validation": "permissive" },
    body: JSON.stringify([letter, letter]),
  });
  assertEquals([response.status, bench.requests.length], [503, 1]);
});

Deno.test("compat answers: resend's permissive batch of nothing but mistakes sends nothing", async () => {
  const bench = new CompatBench();
  bench.answers.push(refused(550, { enhanced: "5.7.1" }));
  const { response, body } = await bench.ask("/resend/emails/batch", {
    headers: { ...bearer("good"), "x-batch-validation": "permissive" },
    body: JSON.stringify([{ from: "nobody" }, {
      from: "a@shop.test",
      to: "b@dest.test",
      text: "x",
    }]),
  });
  assertEquals(response.status, 200);
  assertEquals(body, {
    data: [],
    errors: [
      { index: 0, message: "`from` is not a valid mail address" },
      { index: 1, message: "550 5.7.1 Because" },
    ],
  });
});
