import { concatBytes, decodeText } from "../../../src/base/bytes.ts";
import type { MessageDetail, QueueStore } from "../../../src/queue/store.ts";
import { idOf } from "../messages.ts";

/** One thing that every store does. */
export interface StoreCase {
  readonly title: string;
  readonly run: (store: QueueStore) => Promise<void>;
}

/** Opens an empty store, and removes all of it in the end. */
export type OpenStore = () => Promise<AsyncDisposable & { readonly store: QueueStore }>;

/** All about a test message, which must be there. */
export async function detailOf(store: QueueStore, number: number): Promise<MessageDetail> {
  const detail = await store.get(idOf(number));
  if (detail === null) throw new Error(`no message ${number}`);
  return detail;
}

/** The states of a test message's recipients, in order. */
export async function statesOf(store: QueueStore, number: number): Promise<string[]> {
  return (await detailOf(store, number)).recipients.map(({ state }) => state);
}

/** The octets of a test message as text; null when they are gone. */
export async function textOf(store: QueueStore, number: number): Promise<string | null> {
  const body = await store.body(idOf(number));
  return body === null ? null : decodeText(concatBytes(await Array.fromAsync(body)));
}
