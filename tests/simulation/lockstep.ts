import { isDeepStrictEqual } from "node:util";
import type { BodyPlace, NewMessage, QueueStore, SpoolWriter } from "../../src/queue/store.ts";
import { bound } from "./memory_ground.ts";

/** Two stores that get the same calls, and somebody who hears where their answers differ. */
export interface LockstepOptions {
  readonly first: QueueStore;
  readonly second: QueueStore;
  readonly onDifference: (detail: string) => void;
}

/**
 * A store that asks two, one call after the other, and compares what they answer: claims, counts,
 * failures, and what is known of a message after each settlement. It answers as the first does.
 */
export function lockstep({ first, second, onDifference }: LockstepOptions): QueueStore {
  /** The name of each spool file in the second store. */
  const names = new Map<string, string>();
  let last: Promise<unknown> = Promise.resolve();

  /** Both calls are over before the next ones begin, so that both stores see one order. */
  function both<Answer>(
    name: string,
    call: (store: QueueStore, isSecond: boolean) => Promise<Answer>,
    view: (answer: Answer) => unknown = (answer) => answer,
  ): Promise<Answer> {
    const turn = last.then(async () => {
      const [one, other] = [
        await answerOf(call(first, false), view),
        await answerOf(call(second, true), view),
      ];
      if (!isDeepStrictEqual(one.seen, other.seen)) {
        onDifference(`${name}: ${JSON.stringify(one.seen)} and ${JSON.stringify(other.seen)}`);
      }
      if ("error" in one) throw one.error;
      return one.answer;
    });
    last = turn.catch(() => {});
    return turn;
  }

  const placed = (message: NewMessage, isSecond: boolean): NewMessage =>
    isSecond ? { ...message, place: placeIn(message.place, names) } : message;

  return {
    ...bound(first),
    ...{ shelf: first.shelf, outbox: first.outbox },
    put: (message) => both("put", (store, isSecond) => store.put(placed(message, isSecond))),
    putAll: (messages) =>
      both(
        "putAll",
        (store, isSecond) => store.putAll(messages.map((message) => placed(message, isSecond))),
      ),
    claim: (request) =>
      both("claim", (store) => store.claim(request), ({ claimed, nextDueAtMs }) => ({
        claimed: claimed.flatMap(({ message, recipients }) =>
          recipients.map(({ index }) => `${message.id} ${index}`)
        ).sort(),
        nextDueAtMs,
      })),
    renew: (request) => both("renew", (store) => store.renew(request)),
    async settle(settlement) {
      await both("settle", (store) => store.settle(settlement));
      const { messageId } = settlement;
      await both("get", (store) => store.get(messageId), (detail) => detail?.recipients);
    },
    abandon: (request) => both("abandon", (store) => store.abandon(request)),
    command: (request) => both("command", (store) => store.command(request)),
    count: (filter) => both("count", (store) => store.count(filter)),
    stats: () => both("stats", (store) => store.stats(), ({ recipients }) => recipients),
    purge: (request) => both("purge", (store) => store.purge(request)),
    dropBodies: (request) => both("dropBodies", (store) => store.dropBodies(request)),
    spool: () => spoolBoth(first.spool(), { second: second.spool(), names }),
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    },
  };
}

type Answer<T> =
  | { readonly answer: T; readonly seen: unknown }
  | { readonly error: unknown; readonly seen: string };

async function answerOf<T>(
  call: Promise<T>,
  view: (answer: T) => unknown,
): Promise<Answer<T>> {
  try {
    const answer = await call;
    return { answer, seen: view(answer) };
  } catch (error) {
    const kind = error instanceof Error && "kind" in error ? error.kind : error;
    return { error, seen: `failed: ${kind}` };
  }
}

function placeIn(place: BodyPlace, names: ReadonlyMap<string, string>): BodyPlace {
  return place.kind === "spool" ? { ...place, name: names.get(place.name) ?? place.name } : place;
}

function spoolBoth(
  first: SpoolWriter,
  { second, names }: { second: SpoolWriter; names: Map<string, string> },
): SpoolWriter {
  return {
    async write(chunk) {
      await first.write(chunk);
      await second.write(chunk);
    },
    async finish() {
      const name = await first.finish();
      names.set(name, await second.finish());
      return name;
    },
    async discard() {
      await first.discard();
      await second.discard();
    },
  };
}
