import { encodeText } from "../../../src/base/bytes.ts";
import { openSqliteStore } from "../../../src/queue/sqlite/store.ts";
import type { MessageDetail, NewMessage, QueueStore } from "../../../src/queue/store.ts";
import { tempFolder } from "../../support/peers.ts";
import { type Finished, run, type World } from "../support.ts";

/** A folder with a queue in it, and commands on that queue. */
export interface TestQueue extends AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  /** `posthouse queue …` on this queue. */
  run(args: readonly string[], world?: World): Promise<Finished>;
  /** Opens the queue beside the commands. */
  open<T>(use: (store: QueueStore) => Promise<T>): Promise<T>;
  /** All messages, oldest first, with their octets as text. */
  messages(): Promise<(MessageDetail & { readonly text: string })[]>;
}

/** An empty queue in a folder of its own. */
export async function testQueue(): Promise<TestQueue> {
  const folder = await tempFolder();
  const dataDir = `${folder.path}/data`;
  const open: TestQueue["open"] = async (use) => {
    await using store = await openSqliteStore({ folder: dataDir, mode: "tool" });
    return await use(store);
  };
  return {
    ...{ folder: folder.path, dataDir, open },
    run: (args, world) => run(["queue", ...args, "--data-dir", dataDir], world),
    messages: () =>
      open(async (store) => {
        const { items } = await store.list({ filter: {}, limit: 1000 });
        return await Promise.all(
          items.toReversed().map(({ message }) => withText(store, message.id)),
        );
      }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function withText(
  store: QueueStore,
  id: string,
): Promise<MessageDetail & { readonly text: string }> {
  const detail = await store.get(id);
  if (detail === null) throw new Error(`There is no ${id}`);
  const decoder = new TextDecoder("latin1");
  let text = "";
  for await (const chunk of await store.body(id) ?? []) {
    text += decoder.decode(chunk, { stream: true });
  }
  return { ...detail, text };
}

/** A message with everything that an envelope can carry. */
export function richMessage(
  id: string,
  { text = "Subject: hello\r\n\r\nFrom here\r\n.dot\r\n", ...rest }:
    & { text?: string }
    & Partial<NewMessage> = {},
): NewMessage {
  const bytes = encodeText(text);
  return {
    id,
    receivedAtMs: Date.now() - 7_200_000,
    reversePath: "me@example.org",
    body: "8BITMIME",
    smtpUtf8: false,
    extras: { ret: "HDRS", envid: "QQ314159", priority: 4, submitter: "me@example.org" },
    origin: {
      ...{ listener: "smtp", clientAddress: "192.0.2.1", clientPort: 40000 },
      ...{ helo: "client.example", protocol: "ESMTPA", user: "me" },
    },
    facts: {
      ...{ sizeBytes: bytes.length + 6, eightBit: false, dotLines: 1, longestLineBytes: 14 },
      lineOriented: true,
    },
    summary: { subject: "hello", from: "", messageId: "" },
    prefix: "A: b\r\n",
    expiresAtMs: Date.now() + 3_600_000,
    place: { kind: "inline", bytes },
    recipients: [
      {
        ...{ forwardPath: "a@one.example", domain: "one.example", state: "queued" },
        ...{ notify: ["SUCCESS", "FAILURE"], originalRecipient: "rfc822;a@one.example" },
        nextAttemptAtMs: Date.now() + 60_000,
      },
      {
        ...{ forwardPath: "b@two.example", domain: "two.example", state: "held" },
        nextAttemptAtMs: Date.now() + 60_000,
      },
    ],
    ...rest,
  };
}
