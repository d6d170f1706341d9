/** What is left when a request does not end well: nothing. */
import { assertEquals, assertRejects } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import type { BatchSink } from "../../src/ingress/batch_sink.ts";
import { RequestKeys } from "../../src/ingress/request_keys.ts";
import type { BatchSubmission, SubmittedMessage } from "../../src/ingress/submission.ts";
import { MessageSubmitter } from "../../src/ingress/submitter.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import type { Shelf } from "../../src/queue/shelf.ts";
import { OPEN_POLICY } from "../../src/reception/policy.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A submitter over a sink that notes what is asked of it. */
function bench({ shelf = {}, hops = 2 }: { shelf?: Partial<Shelf>; hops?: number } = {}) {
  const calls: string[] = [];
  const events: RelayEvent[] = [];
  const clock = new ManualClock();
  const real = openMemoryStore({ clock }).shelf;
  const sink: BatchSink = {
    beginBatch: (count) => {
      calls.push(`begin ${count}`);
      let begun = 0;
      return {
        storedBytes: 0,
        begin: () => ({
          id: `ID${++begun}`,
          write: async () => {
            await Promise.resolve();
            if (calls.at(-1) !== "write") calls.push("write");
          },
          finish: () => Promise.resolve(void calls.push("finish")),
        }),
        commit: () => {
          calls.push("commit");
          return Promise.resolve({ kind: "stored" as const });
        },
        abort: () => Promise.resolve(void calls.push("abort")),
      };
    },
  };
  const submitter = new MessageSubmitter({
    ...{ sink, clock, aliases: () => null, policy: () => OPEN_POLICY },
    limits: () => ({
      ...{ hostname: "relay.test", messageBytes: 100, recipients: 10, hops, maxHoldMs: 0 },
    }),
    keys: new RequestKeys({
      shelf: {
        get: (space, key) => real.get(space, key),
        put: (space, entry) => real.put(space, entry),
        claim: (space, entry) => real.claim(space, entry),
        delete: (space, key) => real.delete(space, key),
        list: (request) => real.list(request),
        purge: (limit) => real.purge(limit),
        ...shelf,
      },
      isStored: () => Promise.resolve(true),
      now: () => clock.now(),
    }),
    events: (event) => events.push(event),
  });
  return { submitter, calls, events };
}

function request(
  message: SubmittedMessage["message"],
  more: Partial<BatchSubmission> = {},
): BatchSubmission {
  return {
    by: { user: "ada", senders: null, clientAddress: "192.0.2.1" },
    messages: [{ from: "a@x.test", to: ["b@y.test"], message }],
    ...more,
  };
}

const SMALL = encodeText("Subject: x\r\n\r\nText\r\n");

Deno.test("batch: what is written is finished, then committed, then told", async () => {
  const { submitter, calls, events } = bench();
  const result = await submitter.submitAll(request(SMALL));
  assertEquals(result, { kind: "queued", ids: ["ID1"], repeated: false });
  assertEquals(calls, ["begin 1", "write", "finish", "commit"]);
  assertEquals(events, [{
    ...{ type: "accepted", messageId: "ID1", reversePath: "a@x.test", listener: "http" },
    ...{ clientAddress: "192.0.2.1", sizeBytes: SMALL.length, recipients: 1 },
  }]);
});

const REFUSED: readonly (readonly [string, string])[] = [
  [`Subject: x\r\n\r\n${"x".repeat(100)}`, "552 5.3.4 Message is larger than allowed"],
  ["Received: a\r\nReceived: b\r\nReceived: c\r\n\r\n", "554 5.4.6 Routing loop detected"],
  ["Subject: a\rb\r\n\r\n", "554 5.6.0 Message has CR without LF; lines end with CRLF"],
  ["Subject: a\0b\r\n\r\n", "554 5.6.0 Message has a NUL octet"],
];

for (const [text, reply] of REFUSED) {
  Deno.test(`batch: ${reply}: nothing is left, and the log has it`, async () => {
    const { submitter, calls, events } = bench();
    const result = await submitter.submitAll(request(encodeText(text)));
    assertEquals([result.kind, calls.at(-1), calls.includes("commit")], [
      ...["refused", "abort", false],
    ]);
    assertEquals(events, [{
      ...{ type: "refused", messageId: "ID1", reversePath: "a@x.test", listener: "http" },
      ...{ clientAddress: "192.0.2.1", reply },
    }]);
  });
}

Deno.test("batch: as many octets and hops as there may be pass", async () => {
  const { submitter } = bench();
  const exact = encodeText(`Subject: x\r\n\r\n${"x".repeat(84)}\r\n`);
  assertEquals(exact.length, 100);
  assertEquals((await submitter.submitAll(request(exact))).kind, "queued");
  const hops = encodeText("Received: a\r\nReceived: b\r\n\r\n");
  assertEquals((await submitter.submitAll(request(hops))).kind, "queued");
});

Deno.test("batch: a client that goes away leaves nothing, and its key is free", async () => {
  const { submitter, calls } = bench();
  async function* cut(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(SMALL);
    throw new Error("cut");
  }
  await assertRejects(() => submitter.submitAll(request(cut(), { key: "k" })), Error, "cut");
  assertEquals(calls.at(-1), "abort");
  const again = await submitter.submitAll(request(SMALL, { key: "k" }));
  assertEquals(again.kind, "queued");
});

Deno.test("batch: a shelf that cannot be asked leaves nothing, and its key is free", async () => {
  let isBroken = true;
  const { submitter, calls } = bench({
    shelf: { claim: () => isBroken ? Promise.reject(new Error("no")) : Promise.resolve(null) },
  });
  await assertRejects(() => submitter.submitAll(request(SMALL, { key: "k" })), Error, "no");
  assertEquals([calls.at(-1), calls.includes("commit")], ["abort", false]);
  isBroken = false;
  assertEquals((await submitter.submitAll(request(SMALL, { key: "k" }))).kind, "queued");
});

Deno.test("batch: a request that is repeated, and one of another message, leave nothing", async () => {
  const { submitter, calls } = bench();
  await submitter.submitAll(request(SMALL, { key: "k" }));
  for (const message of [SMALL, encodeText("Subject: other\r\n\r\n")]) {
    calls.length = 0;
    await submitter.submitAll(request(message, { key: "k" }));
    assertEquals(calls, ["begin 1", "write", "finish", "abort"]);
  }
});

Deno.test("batch: the queue has the message though the key cannot be confirmed, which is told", async () => {
  const cause = new Error("no");
  const { submitter, events } = bench({ shelf: { put: () => Promise.reject(cause) } });
  const result = await submitter.submitAll(request(SMALL, { key: "k" }));
  assertEquals(result.kind, "queued");
  assertEquals(events.map(({ type }) => type), ["trouble", "accepted"]);
  assertEquals(events[0], {
    ...{ type: "trouble", level: "warning", component: "http", cause },
    message: "Cannot store that a request was completed",
  });
});

Deno.test("batch: a given fingerprint stands for the octets", async () => {
  const { submitter } = bench();
  const other = encodeText("Subject: other\r\n\r\n");
  const given = { key: "k", fingerprint: "same" };
  await submitter.submitAll(request(SMALL, given));
  const repeated = await submitter.submitAll(request(other, given));
  assertEquals(repeated.kind === "queued" && repeated.repeated, true);
  const different = await submitter.submitAll(request(SMALL, { ...given, fingerprint: "x" }));
  assertEquals(different, { kind: "conflict", reason: "other_message" });
});

Deno.test("batch: each octet counts for the key, wherever the pieces are cut", async () => {
  const { submitter } = bench();
  async function* pieces(text: string): AsyncGenerator<Uint8Array> {
    for (const char of text) yield await Promise.resolve(encodeText(char));
  }
  const text = "Subject: x\r\n\r\nText\r\n";
  await submitter.submitAll(request(encodeText(text), { key: "k" }));
  const same = await submitter.submitAll(request(pieces(text), { key: "k" }));
  assertEquals(same.kind === "queued" && same.repeated, true);
  const other = await submitter.submitAll(
    request(pieces(text.replace("Text", "TexT")), { key: "k" }),
  );
  assertEquals(other.kind, "conflict");
});
