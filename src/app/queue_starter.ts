import type { Clock } from "../base/clock.ts";
import type { MessageFilter, MessagePage, QueueStore } from "../queue/store.ts";
import type { QueueStarter } from "../smtp/server/queue_starter.ts";

/** Messages looked at, and made due, at a time. */
const PAGE = 500;

/** What ETRN works with. */
export interface QueueStarterOptions {
  readonly store: QueueStore;
  readonly clock: Clock;
  /** Due mail exists that the scheduler does not know of. */
  readonly wake: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Makes the mail that waits for a destination due (RFC 1985). What its sender wants held stays
 * held (RFC 4865 section 4).
 */
export function queueStarter(options: QueueStarterOptions): QueueStarter {
  return async ({ domain, subdomains }) => {
    const filter: MessageFilter = { domain, subdomains, states: ["queued"] };
    try {
      const messages = await makeDue(filter, options);
      if (messages > 0) options.wake();
      return { kind: "started", messages };
    } catch (error) {
      options.onError(error);
      return { kind: "failed" };
    }
  };
}

async function makeDue(
  filter: MessageFilter,
  { store, clock }: QueueStarterOptions,
): Promise<number> {
  const nowMs = clock.now();
  const command = { kind: "retry" } as const;
  let messages = 0;
  let cursor: string | null = "";
  while (cursor !== null) {
    const from: { cursor?: string } = cursor === "" ? {} : { cursor };
    const page: MessagePage = await store.list({ filter, limit: PAGE, ...from });
    const ids = page.items.map(({ message }) => message)
      .filter(({ extras }) => (extras?.holdUntilMs ?? 0) <= nowMs).map(({ id }) => id);
    if (ids.length > 0) {
      messages += await store.command({ filter: { ...filter, ids }, command, nowMs, by: "ETRN" });
    }
    cursor = page.cursor;
  }
  return messages;
}
