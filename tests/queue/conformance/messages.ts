import { assert, assertEquals, assertRejects } from "@std/assert";
import { concatBytes } from "../../../src/base/bytes.ts";
import { type BodyPlace, type QueueStore, StoreError } from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf, settlementOf } from "../messages.ts";
import { detailOf, type StoreCase, textOf } from "./case.ts";

async function spoolText(store: QueueStore, chunks: readonly string[]): Promise<string> {
  const writer = store.spool();
  for (const chunk of chunks) await writer.write(new TextEncoder().encode(chunk));
  return await writer.finish();
}

export const messageCases: readonly StoreCase[] = [
  {
    title: "put keeps everything that is known of a message",
    async run(store) {
      const { place: _, recipients, lease: __, ...record } = messageOf(1, {
        extras: { ret: "HDRS", envid: "x+2By", priority: -3 },
        smtpUtf8: true,
        reversePath: "bücher@origin.example",
        summary: { subject: "Größe 📮", from: "a@b", messageId: "<1@b>" },
        to: [
          recipientOf("one@dest.example", {
            notify: ["SUCCESS", "DELAY"],
            originalRecipient: "rfc822;one",
          }),
          recipientOf("two@other.example", { state: "held" }),
        ],
      });
      await store.put({
        ...record,
        recipients,
        place: { kind: "inline", bytes: Uint8Array.of(1, 2) },
      });
      const detail = await detailOf(store, 1);
      assertEquals(detail.message, record);
      assertEquals(detail.hasBody, true);
      assertEquals(detail.timeline, []);
      const fresh = {
        attempts: 0,
        nextAttemptAtMs: NOW_MS,
        delayNotified: false,
        lastReply: "",
        claimedBy: null,
      };
      assertEquals(detail.recipients, [
        {
          index: 0,
          forwardPath: "one@dest.example",
          domain: "dest.example",
          notify: ["SUCCESS", "DELAY"],
          originalRecipient: "rfc822;one",
          state: "queued",
          ...fresh,
        },
        {
          index: 1,
          forwardPath: "two@other.example",
          domain: "other.example",
          state: "held",
          ...fresh,
        },
      ]);
    },
  },
  {
    title: "putAll stores all messages, each with its octets",
    async run(store) {
      await store.putAll([]);
      const texts = ["first", "second", "x".repeat(100_000)];
      await store.putAll(texts.map((text, index) => {
        const bytes = new TextEncoder().encode(text);
        return messageOf(index + 1, { place: { kind: "inline", bytes } });
      }));
      for (const [index, text] of texts.entries()) {
        assertEquals(await textOf(store, index + 1), text);
      }
      assertEquals((await store.stats()).liveMessages, 3);
    },
  },
  {
    title: "putAll stores none where one of them cannot be stored",
    async run(store) {
      await store.put(messageOf(2));
      await assertRejects(() => store.putAll([messageOf(1), messageOf(2)]), StoreError);
      assertEquals(await store.get(idOf(1)), null);
      assertEquals((await store.stats()).liveMessages, 1);
    },
  },
  {
    title: "get and body of an unknown message are null",
    async run(store) {
      assertEquals(await store.get(idOf(1)), null);
      assertEquals(await store.body(idOf(1)), null);
    },
  },
  {
    title: "the caller's octets stay usable and may change after put",
    async run(store) {
      const bytes = new TextEncoder().encode("first");
      await store.put(messageOf(1, { place: { kind: "inline", bytes } }));
      assertEquals(bytes.length, 5);
      bytes.fill(0);
      assertEquals(await textOf(store, 1), "first");
    },
  },
  {
    title: "a body in chunks of at most 64 KiB",
    async run(store) {
      const bytes = new Uint8Array(200_000).map((_, at) => at % 251);
      await store.put(messageOf(1, { place: { kind: "inline", bytes } }));
      const body = await store.body(idOf(1));
      assert(body !== null);
      const chunks = await Array.fromAsync(body);
      assert(chunks.every((chunk) => chunk.length > 0 && chunk.length <= 65_536));
      assertEquals(new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()), bytes);
    },
  },
  {
    title: "a body from any octet on, inline and spooled, with and without a head of its own",
    async run(store) {
      const bytes = new Uint8Array(150_000).map((_, at) => at % 251);
      const head = new TextEncoder().encode("Subject: head\r\n");
      const spool = async (): Promise<string> => {
        const writer = store.spool();
        await writer.write(bytes);
        return await writer.finish();
      };
      const places: BodyPlace[] = [
        { kind: "inline", bytes },
        { kind: "inline", bytes, head },
        { kind: "spool", name: await spool() },
        { kind: "spool", name: await spool(), head },
      ];
      for (const [index, place] of places.entries()) {
        await store.put(messageOf(index + 1, { place }));
        const all = concatBytes([place.head ?? new Uint8Array(0), bytes]);
        for (const from of [0, 1, 14, 15, 16, 65_535, 65_536, 149_999, all.length, 1_000_000]) {
          for (const reuse of [true, false]) {
            const read: Uint8Array[] = [];
            const body = await store.body(idOf(index + 1), { from, reuse }) ?? [];
            for await (const chunk of body) read.push(chunk.slice());
            assertEquals(concatBytes(read), all.slice(from), `${place.kind} from ${from}`);
          }
        }
      }
    },
  },
  {
    title: "an empty body is a body",
    async run(store) {
      await store.put(messageOf(1, { place: { kind: "inline", bytes: new Uint8Array(0) } }));
      assertEquals(await textOf(store, 1), "");
      const { claimed: [claimed] } = await store.claim(claimOf());
      assertEquals(claimed?.bytes, new Uint8Array(0));
    },
  },
  {
    title: "a second message with the same id is refused and the first one stays",
    async run(store) {
      await store.put(messageOf(1, { to: ["first@dest.example"] }));
      const others = [messageOf(2), messageOf(1, { to: ["second@dest.example"] }), messageOf(3)];
      const results = await Promise.allSettled(others.map((message) => store.put(message)));
      assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
      const { recipients: [recipient] } = await detailOf(store, 1);
      assertEquals(recipient?.forwardPath, "first@dest.example");
      assertEquals(await store.count({}), 3);
      assertEquals((await store.stats()).recipients.queued, 3);
    },
  },
  {
    title: "many puts at once are all kept, octets and all",
    async run(store) {
      const numbers = Array.from({ length: 300 }, (_, number) => number);
      await Promise.all(numbers.map((number) => store.put(messageOf(number))));
      assertEquals(await store.count({}), 300);
      const { claimed } = await store.claim(claimOf());
      assertEquals(claimed.length, 300);
      for (const { message, bytes } of claimed) {
        const number = Number(message.id.slice(6));
        assertEquals(new TextDecoder().decode(bytes), `Subject: ${number}\r\n\r\nText\r\n`);
      }
    },
  },
  {
    title: "a spooled body",
    async run(store) {
      const name = await spoolText(store, ["Subject: x\r\n", "\r\n", "Text\r\n"]);
      await store.put(messageOf(1, { place: { kind: "spool", name } }));
      assertEquals(await textOf(store, 1), "Subject: x\r\n\r\nText\r\n");
      const { claimed: [claimed] } = await store.claim(claimOf());
      assert(claimed !== undefined && !("bytes" in claimed));
      await store.settle(settlementOf(1));
      assertEquals(await textOf(store, 1), null);
      assertEquals((await detailOf(store, 1)).hasBody, false);
    },
  },
  {
    title: "a spool file that is discarded, at any point",
    async run(store) {
      await store.spool().discard();
      const writer = store.spool();
      await writer.write(Uint8Array.of(1));
      await writer.discard();
      const finished = store.spool();
      await finished.write(Uint8Array.of(1));
      await finished.finish();
      await finished.discard();
    },
  },
  {
    title: "a message that is refused takes its spool file with it, and none of another's",
    async run(store) {
      await store.put(messageOf(1));
      const name = await spoolText(store, ["refused"]);
      const refused = messageOf(1, { place: { kind: "spool", name } });
      await assertRejects(() => store.put(refused), StoreError);
      const again = messageOf(2, { place: { kind: "spool", name } });
      const error = await assertRejects(() => store.put(again), StoreError);
      assertEquals([error.kind, await store.get(idOf(2))], ["unavailable", null]);

      const taken = { kind: "spool", name: await spoolText(store, ["taken"]) } as const;
      await store.put(messageOf(3, { place: taken }));
      await assertRejects(() => store.put(messageOf(3, { place: taken })), StoreError);
      assertEquals(await textOf(store, 3), "taken");
    },
  },
  {
    title: "a batch that is refused takes all its spool files with it",
    async run(store) {
      await store.put(messageOf(1));
      const names = [await spoolText(store, ["one"]), await spoolText(store, ["two"])];
      const places = names.map((name) => ({ kind: "spool", name }) as const);
      const batch = [
        messageOf(2, { place: places[0] as BodyPlace }),
        messageOf(1),
        messageOf(3, { place: places[1] as BodyPlace }),
      ];
      await assertRejects(() => store.putAll(batch), StoreError);
      for (const place of places) {
        await assertRejects(() => store.put(messageOf(4, { place })), StoreError);
      }
      assertEquals(await store.count({}), 1);
    },
  },
  {
    title: "nothing can be done with a closed store",
    async run(store) {
      await store[Symbol.asyncDispose]();
      const error = await assertRejects(() => store.put(messageOf(1)), StoreError);
      assertEquals(error.kind, "closed");
      await assertRejects(() => store.stats(), StoreError);
      await store[Symbol.asyncDispose]();
    },
  },
  {
    title: "calls made before closing are done",
    async run(store) {
      const puts = [1, 2, 3].map((number) => store.put(messageOf(number)));
      await store[Symbol.asyncDispose]();
      await Promise.all(puts);
    },
  },
];
