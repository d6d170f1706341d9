import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import type { Submission, SubmissionResult } from "../../src/ingress/submission.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { StoreError } from "../../src/queue/store.ts";
import { submitterBench } from "./submitter_setup.ts";

const KEY = { user: "key app", senders: null, clientAddress: "192.0.2.1" };
const STRANGER = { user: null, senders: null, clientAddress: "192.0.2.1" };

function submission(overrides: Partial<Submission> = {}): Submission {
  return {
    by: KEY,
    from: "ada@origin.example",
    to: ["bob@dest.example"],
    message: encodeText("Subject: hi\r\n\r\nText\r\n"),
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
  assertStringIncludes(octets, "Received: from relay.example ([192.0.2.1])\r\n");
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
