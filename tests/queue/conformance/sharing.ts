/** Octets that several messages have in common: there until the last of them is done, then gone. */
import { assertEquals, assertRejects } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { type BodyPlace, type QueueStore, StoreError } from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, settlementOf } from "../messages.ts";
import { detailOf, type StoreCase, textOf } from "./case.ts";

const OCTETS = "\r\nthe same for all\r\n";

/** A place with octets that several messages have in common. */
async function placeIn(store: QueueStore, kind: BodyPlace["kind"]): Promise<BodyPlace> {
  if (kind === "inline") return { kind, bytes: encodeText(OCTETS) };
  const spool = store.spool();
  await spool.write(encodeText(OCTETS));
  return { kind, name: await spool.finish() };
}

function headOf(number: number): string {
  return `To: ${number}\r\n`;
}

/** Puts messages 1 to 3, each with a head of its own, and message 4 without one. */
async function putSharing(store: QueueStore, kind: BodyPlace["kind"]): Promise<void> {
  const place = await placeIn(store, kind);
  const messages = [1, 2, 3].map((number) =>
    messageOf(number, { place: { ...place, head: encodeText(headOf(number)) } })
  );
  await store.putAll([...messages, messageOf(4, { place }), messageOf(5)]);
}

async function assertTexts(store: QueueStore, numbers: readonly number[]): Promise<void> {
  for (const number of [1, 2, 3, 4]) {
    const text = number === 4 ? OCTETS : headOf(number) + OCTETS;
    const expected = numbers.includes(number) ? text : null;
    assertEquals(await textOf(store, number), expected, `message ${number}`);
  }
}

function casesFor(kind: BodyPlace["kind"]): StoreCase[] {
  const remove = (store: QueueStore, number: number) =>
    store.command({
      ...{ filter: { ids: [idOf(number)] }, command: { kind: "delete" } },
      ...{ nowMs: NOW_MS, by: "test" },
    });
  return [
    {
      title: `shared octets (${kind}) are there until the last message is settled, in any order`,
      async run(store) {
        await putSharing(store, kind);
        await assertTexts(store, [1, 2, 3, 4]);
        const { claimed } = await store.claim(claimOf());
        const bytes = claimed.map(({ bytes }) => bytes === undefined ? null : decodeText(bytes));
        const inline = [1, 2, 3].map((number) => headOf(number) + OCTETS).concat(OCTETS);
        assertEquals(bytes.slice(0, 4), kind === "inline" ? inline : [null, null, null, null]);
        const left = [1, 2, 3, 4];
        for (const number of [1, 4, 3, 2]) {
          await store.settle(settlementOf(number));
          left.splice(left.indexOf(number), 1);
          await assertTexts(store, left);
          await store.settle(settlementOf(number));
          await assertTexts(store, left);
        }
        assertEquals(await textOf(store, 5), "Subject: 5\r\n\r\nText\r\n");
      },
    },
    {
      title: `shared octets (${kind}) outlive messages that are deleted or forgotten`,
      async run(store) {
        await putSharing(store, kind);
        await remove(store, 1);
        await assertTexts(store, [2, 3, 4]);
        await store.claim(claimOf());
        await store.settle(settlementOf(2));
        await store.purge({ beforeMs: Infinity, limit: 10 });
        await assertTexts(store, [3, 4]);
        await remove(store, 4);
        await store.put(messageOf(6));
        await assertTexts(store, [3]);
        await remove(store, 3);
        await remove(store, 5);
        await store.put(messageOf(7));
        assertEquals(await textOf(store, 7), "Subject: 7\r\n\r\nText\r\n");
      },
    },
    {
      title: `messages that share octets (${kind}) are put together or not at all`,
      async run(store) {
        await store.put(messageOf(2));
        await assertRejects(() => putSharing(store, kind), StoreError);
        assertEquals(await store.count({}), 1);
        await remove(store, 2);
        await putSharing(store, kind);
        await assertTexts(store, [1, 2, 3, 4]);
      },
    },
    {
      title: `a message alone with a head of its own (${kind})`,
      async run(store) {
        const place = await placeIn(store, kind);
        await store.put(messageOf(1, { place: { ...place, head: encodeText(headOf(1)) } }));
        await assertTexts(store, [1]);
        await store.claim(claimOf());
        await store.settle(settlementOf(1));
        await assertTexts(store, []);
        assertEquals((await detailOf(store, 1)).hasBody, false);
      },
    },
  ];
}

export const sharingCases: readonly StoreCase[] = [...casesFor("inline"), ...casesFor("spool")];
