import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import type { Submission, SubmissionResult } from "../../src/ingress/submission.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { StoreError } from "../../src/queue/store.ts";
import { AliasMap } from "../../src/policy/aliases.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { submitterBench } from "./submitter_setup.ts";

const KEY = { user: "key app", senders: null, clientAddress: "192.0.2.1" };
const STRANGER = { user: null, senders: null, clientAddress: "192.0.2.1" };

function submission(overrides: Partial<Submission> = {}): Submission {
  return {
    by: KEY,
    from: "ada@origin.example",
    to: ["bob@dest.example"],
    message: encodeText("From: ada@origin.example\r\nSubject: hi\r\n\r\nText\r\n"),
    ...overrides,
  };
}

function codeOf(result: SubmissionResult): number {
  return result.kind === "refused" ? result.reply.code : 250;
}

Deno.test("submit: what is queued is in the store with its envelope and its trace", async () => {
  const { submitter, store, text, events } = submitterBench();
  const result = await submitter.submit(submission());
  assert(result.kind === "queued" && !result.repeated);
  const detail = await store.get(result.id);
  assertEquals(detail?.message.reversePath, "ada@origin.example");
  assertEquals(detail?.recipients.map(({ forwardPath }) => forwardPath), ["bob@dest.example"]);
  assertEquals(detail?.message.origin.user, "key app");
  const octets = await text(result.id);
  assertStringIncludes(octets, "Received: from [192.0.2.1] ([192.0.2.1])\r\n");
  assertStringIncludes(octets, "with HTTP");
  assert(octets.endsWith("Subject: hi\r\n\r\nText\r\n"));
  assertEquals(detail?.message.facts.sizeBytes, encodeText(octets).length);
  assertEquals(events.map(({ type }) => type), ["accepted"]);
});

Deno.test("submit: line ends become those of mail", async () => {
  const { submitter, text } = submitterBench();
  const result = await submitter.submit(submission({ message: encodeText("Subject: hi\n\nText") }));
  assert(result.kind === "queued");
  assert((await text(result.id)).endsWith("\r\nSubject: hi\r\n\r\nText\r\n"));
});

Deno.test("submit: a recipient that is named twice gets the message once", async () => {
  const { submitter, store } = submitterBench();
  const to = ["bob@dest.example", "bob@DEST.example", "Bob@dest.example"];
  const result = await submitter.submit(submission({ to }));
  assert(result.kind === "queued");
  assertEquals((await store.get(result.id))?.recipients.length, 2);
});

Deno.test("submit: the rules of the relay hold", async () => {
  const { submitter } = submitterBench();
  const cases: [Partial<Submission>, number][] = [
    [{ by: STRANGER }, 550],
    [{ by: STRANGER, to: ["bob@ours.example"] }, 250],
    [{ by: { ...STRANGER, clientAddress: "10.1.2.3" } }, 250],
    [{ by: { ...KEY, senders: ["*@origin.example"] } }, 250],
    [{ by: { ...KEY, senders: ["*@other.example"] } }, 553],
    [{ by: { ...KEY, senders: ["*@other.example"] }, from: "" }, 553],
    [{ from: "" }, 250],
    [{ from: "no mailbox" }, 501],
    [{ to: ["bob@dest.example", "no mailbox"] }, 501],
    [{ to: [] }, 554],
    [{ message: encodeText("Subject: a\rb\r\n\r\n") }, 554],
    [{ message: encodeText("Subject: a\0b\r\n\r\n") }, 554],
    [{ message: encodeText(`${"Received: x\r\n".repeat(51)}\r\n`) }, 554],
  ];
  for (const [overrides, code] of cases) {
    assertEquals(codeOf(await submitter.submit(submission(overrides))), code);
  }
});

Deno.test("submit: a key that may send as some is held to them in From, too", async () => {
  const { submitter, ids } = submitterBench();
  const heads: [string, number][] = [
    ["From: Ada <ada@origin.example>\r\n", 250],
    ["Subject: no author\r\n", 550],
    ["From: ada@origin.example, Bob <bob@Origin.example>\r\n", 250],
    ["From: ceo@other.example\r\n", 550],
    ["From: ada@origin.example\r\nfrom: ceo@other.example\r\n", 550],
    ["From: Team: ada@origin.example,\r\n ceo@other.example;\r\n", 550],
    ["From: ceo\r\n", 550],
    [`X-Long: ${"x".repeat(900)}\r\n`.repeat(300) + "From: ceo@other.example\r\n", 554],
  ];
  const by = { ...KEY, senders: ["*@origin.example"] };
  for (const [head, code] of heads) {
    const message = encodeText(`${head}\r\nFrom: ceo@other.example\r\n`);
    const result = await submitter.submit(submission({ by, message }));
    assertEquals(codeOf(result), code, head.slice(0, 80));
    const free = await submitter.submit(submission({ message }));
    assertEquals(codeOf(free), 250);
  }
  assertEquals((await ids()).length, heads.length + 2);
});

Deno.test("submit: limits of size and recipients hold, and nothing is left behind", async () => {
  const { submitter, ids } = submitterBench({ limits: { messageBytes: 100, recipients: 2 } });
  const large = submission({ message: encodeText(`Subject: hi\r\n\r\n${"x".repeat(100)}`) });
  assertEquals(codeOf(await submitter.submit(large)), 552);
  const to = ["a@dest.example", "b@dest.example", "c@dest.example"];
  assertEquals(codeOf(await submitter.submit(submission({ to }))), 452);
  assertEquals(await ids(), []);
});

Deno.test("submit: a message that ends before its end is not taken", async () => {
  const { submitter, ids } = submitterBench();
  async function* cut(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(encodeText("Subject: hi\r\n\r\nTe"));
    throw new Error("cut");
  }
  await assertRejects(() => submitter.submit(submission({ message: cut() })), Error, "cut");
  assertEquals(await ids(), []);
});

Deno.test("submit: a large message is streamed into the spool", async () => {
  const { submitter, text } = submitterBench();
  async function* large(): AsyncGenerator<Uint8Array> {
    yield encodeText("Subject: hi\r\n\r\n");
    for (let count = 0; count < 40; count++) {
      yield await Promise.resolve(encodeText(`${"x".repeat(70)}\r\n`.repeat(100)));
    }
  }
  const result = await submitter.submit(submission({ message: large() }));
  assert(result.kind === "queued");
  assert((await text(result.id)).length > 280_000);
});

Deno.test("submit: mail may be held until a time", async () => {
  const { submitter, store, clock } = submitterBench();
  const holdUntilMs = clock.now() + 3_600_000;
  const result = await submitter.submit(submission({ holdUntilMs }));
  assert(result.kind === "queued");
  assertEquals((await store.get(result.id))?.recipients[0]?.nextAttemptAtMs, holdUntilMs);
});

Deno.test("submit: mail is held no longer than by SMTP, and only for those who may send to all", async () => {
  const { submitter, store, clock } = submitterBench();
  const cases: [Partial<Submission>, number][] = [
    [{ holdUntilMs: clock.now() + 86_400_000 }, 250],
    [{ holdUntilMs: clock.now() + 86_400_001 }, 501],
    [{ holdUntilMs: clock.now() + 1, by: STRANGER, to: ["bob@ours.example"] }, 550],
  ];
  for (const [overrides, code] of cases) {
    assertEquals(codeOf(await submitter.submit(submission(overrides))), code);
  }
  const late = await submitter.submit(submission({ holdUntilMs: clock.now() - 1 }));
  assert(late.kind === "queued");
  assertEquals((await store.get(late.id))?.recipients[0]?.nextAttemptAtMs, clock.now());
});

Deno.test("submit: addresses need SMTPUTF8 for their local parts only", async () => {
  const { submitter, store } = submitterBench();
  const cases: [Partial<Submission>, boolean, string[]][] = [
    [{ to: ["bob@bücher.example"] }, false, ["bob@xn--bcher-kva.example"]],
    [{ from: "ada@bücher.example" }, false, ["bob@dest.example"]],
    [{ to: ["jörg@bücher.example"] }, true, ["jörg@bücher.example"]],
    [{ from: "jörg@origin.example" }, true, ["bob@dest.example"]],
    [{ smtpUtf8: true }, true, ["bob@dest.example"]],
  ];
  for (const [overrides, smtpUtf8, paths] of cases) {
    const result = await submitter.submit(submission(overrides));
    assert(result.kind === "queued");
    const detail = await store.get(result.id);
    assertEquals(detail?.message.smtpUtf8, smtpUtf8);
    assertEquals(detail?.recipients.map(({ forwardPath }) => forwardPath), paths);
  }
});

Deno.test("submit: a repeated request hands in nothing and gets the first one's id", async () => {
  const { submitter, ids, clock } = submitterBench();
  const request = submission({ key: "order-1" });
  const first = await submitter.submit(request);
  assert(first.kind === "queued");
  assertEquals(await submitter.submit(request), { ...first, repeated: true });
  const other = { ...request, by: { ...KEY, user: "key other" } };
  assertEquals((await submitter.submit(other)).kind, "queued");
  assertEquals((await ids()).length, 2);
  await clock.advance(24 * 3_600_000);
  const later = await submitter.submit(request);
  assert(later.kind === "queued" && !later.repeated);
});

Deno.test("submit: a name that came with another message is a conflict", async () => {
  const { submitter, ids } = submitterBench();
  const request = submission({ key: "order-1" });
  await submitter.submit(request);
  const others: Partial<Submission>[] = [
    { message: encodeText("Subject: other\r\n\r\n") },
    { to: ["carl@dest.example"] },
    { from: "eve@origin.example" },
  ];
  for (const other of others) {
    const result = await submitter.submit({ ...request, ...other });
    assertEquals(result, { kind: "conflict", reason: "other_message" });
  }
  assertEquals((await ids()).length, 1);
});

Deno.test("submit: of two requests of one name at once one is told to wait", async () => {
  const { submitter, ids } = submitterBench();
  const request = submission({ key: "order-1" });
  const results = await Promise.all([submitter.submit(request), submitter.submit(request)]);
  assertEquals(results[1], { kind: "conflict", reason: "under_way" });
  assertEquals((await ids()).length, 1);
});

Deno.test("submit: a name whose message was never stored is free", async () => {
  const store = openMemoryStore();
  let isFull = true;
  const put = store.put.bind(store);
  store.put = (message) =>
    isFull ? Promise.reject(new StoreError("full", "disk full")) : put(message);
  const { submitter, ids } = submitterBench({ store });
  const request = submission({ key: "order-1" });
  assertEquals(await submitter.submit(request), { kind: "failed", failure: "full" });
  isFull = false;
  const result = await submitter.submit(request);
  assert(result.kind === "queued" && !result.repeated);
  assertEquals((await ids()).length, 1);
});

Deno.test("submit: an alias stands for its members, each of whom gets the message once", async () => {
  const aliases = new AliasMap([
    ["team@ours.example", ["ada@ours.example", "Bücher@elsewhere.example", "all@ours.example"]],
    ["all@ours.example", ["ada@ours.example", "carl@far.example"]],
  ]);
  const { submitter, store } = submitterBench({ aliases });
  const to = ["carl@far.example", "TEAM@ours.example"];
  const result = await submitter.submit(submission({ to }));
  assert(result.kind === "queued");
  const detail = await store.get(result.id);
  assertEquals(
    detail?.recipients.map(({ forwardPath, originalRecipient }) => [
      forwardPath,
      originalRecipient,
    ]),
    [
      ["carl@far.example", undefined],
      ["ada@ours.example", "rfc822;TEAM@ours.example"],
      ["Bücher@elsewhere.example", "rfc822;TEAM@ours.example"],
    ],
  );
  assertEquals(detail?.message.smtpUtf8, true);
});

Deno.test("submit: strangers reach aliases, and through them whomever they name", async () => {
  const aliases = new AliasMap([["team@ours.example", ["ada@far.example"]]]);
  const { submitter } = submitterBench({ aliases });
  const by = STRANGER;
  const reached = await submitter.submit(submission({ by, to: ["team@ours.example"] }));
  assertEquals(reached.kind, "queued");
  const refused = await submitter.submit(submission({ by, to: ["ada@far.example"] }));
  assert(refused.kind === "refused");
  assertEquals(refused.recipients?.map(({ mailbox }) => mailbox), ["ada@far.example"]);
});

Deno.test("submit: all recipients that are refused are named", async () => {
  const { submitter } = submitterBench();
  const to = ["no mailbox", "bob@ours.example", "ada@far.example", "carl@far.example"];
  const result = await submitter.submit(submission({ by: STRANGER, to }));
  assert(result.kind === "refused");
  assertEquals(result.reply.code, 501);
  assertEquals(result.recipients?.map(({ mailbox, reply }) => [mailbox, reply.code]), [
    ["no mailbox", 501],
    ["ada@far.example", 550],
    ["carl@far.example", 550],
  ]);
});

Deno.test("submit: messages of one request are taken together", async () => {
  const { submitter, ids, text, events } = submitterBench();
  const messages = ["one", "two", "three"].map((name) => ({
    ...{ from: "ada@origin.example", to: [`${name}@dest.example`] },
    message: encodeText(`Subject: ${name}\r\n\r\n${"x\r\n".repeat(name === "two" ? 50_000 : 1)}`),
  }));
  const result = await submitter.submitAll({ by: KEY, messages });
  assert(result.kind === "queued");
  assertEquals(result.ids, await ids());
  for (const [index, name] of ["one", "two", "three"].entries()) {
    assertStringIncludes(await text(result.ids[index] ?? ""), `Subject: ${name}\r\n`);
  }
  assertEquals(events.map(({ type }) => type), ["accepted", "accepted", "accepted"]);
});

Deno.test("submit: where one of several messages is refused none is taken, and it is named", async () => {
  const { submitter, ids, events } = submitterBench({ limits: { messageBytes: 200_000 } });
  const good = {
    from: "ada@origin.example",
    to: ["a@dest.example"],
    message: encodeText("From: ada@origin.example\r\n\r\n"),
  };
  const cases: [Partial<typeof good>, number][] = [
    [{ to: ["no mailbox"] }, 501],
    [{ from: "eve@elsewhere" }, 553],
    [{ message: encodeText(`A: 1\r\n\r\n${"x".repeat(300_000)}`) }, 552],
  ];
  const by = { ...KEY, senders: ["*@origin.example"] };
  for (const [wrong, code] of cases) {
    const large = {
      ...good,
      message: encodeText(`From: ada@origin.example\r\n\r\n${"x".repeat(150_000)}`),
    };
    const messages = [large, { ...good, ...wrong }, good];
    const result = await submitter.submitAll({ by, messages, key: "batch" });
    assert(result.kind === "refused");
    assertEquals([result.reply.code, result.index], [code, 1]);
  }
  assertEquals(await ids(), []);
  assertEquals(events.filter(({ type }) => type === "accepted"), []);
});

Deno.test("submit: a batch that is repeated after any failure is taken once", async () => {
  const store = openMemoryStore({ clock: new ManualClock() });
  const putAll = store.putAll.bind(store);
  const request = {
    by: KEY,
    key: "batch-1",
    messages: ["a", "b"].map((name) => ({
      ...{ from: "ada@origin.example", to: [`${name}@dest.example`] },
      message: encodeText("Subject: x\r\n\r\n"),
    })),
  };
  const { submitter, ids } = submitterBench({ store });
  store.putAll = () => Promise.reject(new StoreError("unavailable", "no"));
  assertEquals((await submitter.submitAll(request)).kind, "failed");
  assertEquals(await ids(), []);
  store.putAll = putAll;
  const first = await submitter.submitAll(request);
  assert(first.kind === "queued" && !first.repeated);
  assertEquals(await submitter.submitAll(request), { ...first, repeated: true });
  const [one] = request.messages;
  assert(one !== undefined);
  const part = await submitter.submitAll({ ...request, messages: [one] });
  assertEquals(part, { kind: "conflict", reason: "other_message" });
  assertEquals(await ids(), first.ids);
});

Deno.test("submit: the trace of the request is kept with the message, if it is one", async () => {
  const { submitter, store } = submitterBench();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const [given, kept] of [[traceparent, [traceparent]], ["no trace", undefined]] as const) {
    const result = await submitter.submit(submission({ traceparent: given }));
    assert(result.kind === "queued");
    assertEquals((await store.get(result.id))?.message.headers?.["traceparent"], kept);
  }
});

Deno.test("submit: keys of one name have request names of their own", async () => {
  const { submitter, ids } = submitterBench();
  const first = { ...KEY, identity: "key 1" };
  const second = { ...KEY, identity: "key 2" };
  for (const by of [first, second, first]) {
    const result = await submitter.submit(submission({ by, key: "once" }));
    assert(result.kind === "queued");
  }
  assertEquals((await ids()).length, 2);
});

Deno.test("submit: a given fingerprint stands for the octets of a single message, too", async () => {
  const { submitter } = submitterBench();
  const request = submission({ key: "order-1", fingerprint: "same" });
  await submitter.submit(request);
  const other = { ...request, message: encodeText("Subject: other\r\n\r\n") };
  const repeated = await submitter.submit(other);
  assert(repeated.kind === "queued" && repeated.repeated);
  const different = await submitter.submit({ ...request, fingerprint: "another" });
  assertEquals(different, { kind: "conflict", reason: "other_message" });
});

Deno.test("submit: recipients that nobody shall see are taken off, unless a key says otherwise", async () => {
  const message = encodeText(
    "From: ada@origin.example\r\nBcc: h@dest.example\r\nSubject: hi\r\n\r\nText\r\n",
  );
  for (const keepsBcc of [false, true]) {
    const { submitter, store, text } = submitterBench({ keepsBcc });
    const result = await submitter.submit(submission({ message }));
    assert(result.kind === "queued");
    const octets = await text(result.id);
    assertEquals(octets.includes("Bcc"), keepsBcc);
    assertEquals((await store.get(result.id))?.message.facts.sizeBytes, encodeText(octets).length);
  }
});
