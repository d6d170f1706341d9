import { type Clock, systemClock } from "../../base/clock.ts";
import { concatBytes } from "../../base/bytes.ts";
import {
  type BodyOptions,
  type ClaimRequest,
  type ClaimResult,
  type CommandRequest,
  type ListRequest,
  type MessageDetail,
  type MessageFilter,
  type MessagePage,
  type NewMessage,
  type PartialCount,
  type QueueShape,
  type QueueStore,
  RECIPIENT_STATES,
  type RecipientState,
  type Settlement,
  type ShapeRequest,
  type SpoolWriter,
  StoreError,
  type StoreStats,
} from "../store.ts";
import { outboxEvent } from "../outbox.ts";
import { owesNotifications, settled } from "../transition.ts";
import { applyCommand } from "./command.ts";
import { MemoryOutbox } from "./outbox.ts";
import { pageOf } from "./page.ts";
import { shapeOf } from "./shape.ts";
import { MemoryShelf, type Run } from "./shelf.ts";
import { claimDue, earliestDue, freeExpiredLeases } from "./claim.ts";
import {
  detailOf,
  fitting,
  hasFailed,
  isLive,
  type StoredMessage,
  storedMessage,
} from "./message.ts";

const CHUNK_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);

/** Opens an empty queue that lives in memory and forgets all when it is closed. */
export function openMemoryStore(
  { clock = systemClock, keepsFailed = false }: { clock?: Clock; keepsFailed?: boolean } = {},
): QueueStore {
  return new MemoryStore({ clock, keepsFailed });
}

class MemoryStore implements QueueStore {
  readonly shelf: MemoryShelf;
  readonly outbox: MemoryOutbox;
  readonly #clock: Clock;
  readonly #keepsFailed: boolean;
  /** All messages, in order of arrival. */
  readonly #messages = new Map<string, StoredMessage>();
  readonly #live = new Set<StoredMessage>();
  readonly #spooled = new Map<string, Uint8Array>();
  /** How many messages each of them holds octets of. */
  readonly #uses = new Map<string, number>();
  /** Names of spool files that no message has been put with. */
  readonly #pending = new Set<string>();
  #sequence = 0;
  #spoolFiles = 0;
  #closed = false;

  constructor({ clock, keepsFailed }: { clock: Clock; keepsFailed: boolean }) {
    this.#clock = clock;
    this.#keepsFailed = keepsFailed;
    const run: Run = (call) => this.#run(call);
    this.shelf = new MemoryShelf({ clock, run });
    this.outbox = new MemoryOutbox({ run });
  }

  put(message: NewMessage): Promise<void> {
    return this.putAll([message]);
  }

  putAll(messages: readonly NewMessage[]): Promise<void> {
    return this.#run(() => {
      try {
        this.#checkNew(messages);
        for (const message of inOwnMemory(messages)) this.#put(message);
      } catch (error) {
        this.#dropFiles(messages);
        throw error;
      }
    });
  }

  claim(request: ClaimRequest): Promise<ClaimResult> {
    return this.#run(() => {
      freeExpiredLeases(this.#live, request);
      return claimDue(this.#live, request);
    });
  }

  renew(
    { owner, messageIds, untilMs }: {
      owner: string;
      messageIds: readonly string[];
      untilMs: number;
    },
  ): Promise<void> {
    return this.#run(() => {
      for (const id of messageIds) {
        for (const recipient of this.#messages.get(id)?.recipients ?? []) {
          if (recipient.status.owner === owner) recipient.leaseUntilMs = untilMs;
        }
      }
    });
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#run(() => this.#settle(settlement));
  }

  abandon(
    { owner, endedMs = Infinity }: { owner: string; nowMs: number; endedMs?: number },
  ): Promise<number> {
    return this.#run(() => {
      let count = 0;
      for (const { recipients } of this.#live) {
        for (const recipient of recipients) {
          if (recipient.status.owner !== owner || recipient.leaseUntilMs > endedMs) continue;
          recipient.status = { ...recipient.status, owner: null };
          count += 1;
        }
      }
      return count;
    });
  }

  body(
    messageId: string,
    { from = 0 }: BodyOptions = {},
  ): Promise<AsyncIterable<Uint8Array> | null> {
    return this.#run(() => {
      const place = this.#messages.get(messageId)?.place ?? null;
      if (place === null) return null;
      const bytes = place.kind === "inline" ? place.bytes : this.#spooled.get(place.name);
      return bytes === undefined ? null : inChunks([place.head ?? NOTHING, bytes], from);
    });
  }

  get(messageId: string): Promise<MessageDetail | null> {
    return this.#run(() => {
      const message = this.#messages.get(messageId);
      return message === undefined ? null : detailOf(message);
    });
  }

  list(request: ListRequest): Promise<MessagePage> {
    return this.#run(() => pageOf(this.#messages.values(), request));
  }

  count(filter: MessageFilter): Promise<number> {
    return this.#run(() => {
      let count = 0;
      for (const message of this.#messages.values()) {
        if (fitting(message, filter) !== null) count += 1;
      }
      return count;
    });
  }

  async countWithin(filter: MessageFilter): Promise<PartialCount> {
    return { count: await this.count(filter), isComplete: true };
  }

  command(request: CommandRequest): Promise<number> {
    return this.#run(() => {
      const { filter, command, nowMs, event } = request;
      if (command.kind === "delete") return this.#delete(filter);
      let count = 0;
      for (const message of this.#messages.values()) {
        const entry = applyCommand(message, request);
        if (entry === null) continue;
        count += 1;
        message.timeline.push(entry);
        this.#finish(message, nowMs);
        if (event === undefined) continue;
        const about = { messageId: message.record.id, message: message.record, atMs: nowMs };
        this.outbox.add([outboxEvent(event, about)]);
      }
      return count;
    });
  }

  stats(): Promise<StoreStats> {
    return this.#run(() => {
      const states = RECIPIENT_STATES.map((state) => [state, 0]);
      const recipients = Object.fromEntries(states) as Record<RecipientState, number>;
      for (const message of this.#messages.values()) {
        for (const { status } of message.recipients) recipients[status.state] += 1;
      }
      const [oldest] = this.#live;
      return {
        recipients,
        liveMessages: this.#live.size,
        oldestReceivedAtMs: oldest?.record.receivedAtMs ?? null,
        nextDueAtMs: earliestDue(this.#live),
      };
    });
  }

  shape(request: ShapeRequest): Promise<QueueShape> {
    return this.#run(() => shapeOf(this.#live, request));
  }

  purge({ beforeMs, limit }: { beforeMs: number; limit: number }): Promise<number> {
    return this.#run(() => {
      let count = 0;
      for (const [id, message] of this.#messages) {
        if (count >= limit) break;
        if (message.doneAtMs === null || message.doneAtMs >= beforeMs) continue;
        this.#letGo(message);
        this.#messages.delete(id);
        count += 1;
      }
      return count;
    });
  }

  dropBodies({ beforeMs, limit }: { beforeMs: number; limit: number }): Promise<number> {
    return this.#run(() => {
      let count = 0;
      for (const message of this.#messages.values()) {
        if (count >= limit) break;
        if (message.place === null || message.doneAtMs === null) continue;
        if (message.doneAtMs >= beforeMs) continue;
        this.#letGo(message);
        count += 1;
      }
      return count;
    });
  }

  /** Nobody else has a hand in this store, so the listener is never called. */
  onChange(_listener: () => void): () => void {
    return () => {};
  }

  spool(): SpoolWriter {
    const name = String(++this.#spoolFiles);
    const chunks: Uint8Array[] = [];
    return {
      write: (chunk) => this.#run(() => void chunks.push(chunk.slice())),
      finish: () =>
        this.#run(() => {
          this.#spooled.set(name, concatBytes(chunks));
          this.#pending.add(name);
          return name;
        }),
      discard: () =>
        this.#run(() => {
          if (this.#pending.delete(name)) this.#spooled.delete(name);
        }),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#messages.clear();
    this.#live.clear();
    this.#spooled.clear();
    return Promise.resolve();
  }

  /** Runs one call; it is atomic because nothing in it waits. */
  // deno-lint-ignore require-await -- async turns what is thrown into a rejection
  async #run<T>(call: () => T): Promise<T> {
    if (this.#closed) throw new StoreError("closed", "Cannot use the queue: it is closed");
    return call();
  }

  #delete(filter: MessageFilter): number {
    let count = 0;
    for (const [id, message] of this.#messages) {
      if (fitting(message, filter) === null) continue;
      this.#messages.delete(id);
      this.#live.delete(message);
      this.#letGo(message);
      count += 1;
    }
    return count;
  }

  #put(message: NewMessage): void {
    this.#checkNew([message]);
    const sequence = ++this.#sequence;
    const stored = storedMessage(message, { sequence, nowMs: this.#clock.now() });
    this.#messages.set(message.id, stored);
    if (message.place.kind === "spool") {
      const { name } = message.place;
      this.#pending.delete(name);
      this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    }
    if (isLive(stored)) this.#live.add(stored);
    this.outbox.add(message.events ?? []);
  }

  #checkNew(messages: readonly NewMessage[]): void {
    const ids = messages.map(({ id }) => id);
    const known = messages.find(({ id }, at) => this.#messages.has(id) || ids.indexOf(id) < at);
    if (known !== undefined) throw refusal(`a message with this id exists, got ${known.id}`);
    for (const { place } of messages) {
      if (place.kind !== "spool" || this.#spooled.has(place.name)) continue;
      throw refusal(`the spool file of the message is not there, got ${place.name}`);
    }
  }

  /** Removes the spool files of messages that were refused. */
  #dropFiles(messages: readonly NewMessage[]): void {
    for (const { place } of messages) {
      if (place.kind !== "spool" || !this.#pending.delete(place.name)) continue;
      this.#spooled.delete(place.name);
    }
  }

  #settle(settlement: Settlement): void {
    const { messageId, owner, recipients, timeline, notifications, events = [] } = settlement;
    const { transport } = settlement;
    const { once, records = [] } = settlement;
    const message = this.#messages.get(messageId);
    if (message === undefined) return;
    if (once !== undefined && this.shelf.find(once.space, once.key) !== null) return;
    if (settlement.again === true && this.#isMade(settlement, message)) return;
    const parts = recipients.flatMap(({ index, disposition, reply }) => {
      const recipient = message.recipients[index];
      if (recipient === undefined) return [];
      const next = settled(recipient.status, { disposition, reply, owner, transport });
      return [{ recipient, next, disposition, hasChanged: next !== null }];
    });
    const owed = owesNotifications(parts) ? notifications : [];
    this.#checkNew(owed);
    for (const { recipient, next } of parts) {
      if (next === null) continue;
      recipient.status = next;
      message.lastReply = next.lastReply;
    }
    message.timeline.push(...timeline);
    this.#finish(message, this.#clock.now());
    for (const notification of owed) this.#put(notification);
    this.outbox.add(events);
    for (const record of once === undefined ? records : [...records, once]) {
      this.shelf.set(record.space, record);
    }
  }

  #isMade({ timeline: [first], notifications }: Settlement, message: StoredMessage): boolean {
    const line = JSON.stringify(first);
    return message.timeline.some((known) => JSON.stringify(known) === line) ||
      notifications.some(({ id }) => this.#messages.has(id));
  }

  /** Lets go of the octets once the last recipient is final. */
  #finish(message: StoredMessage, nowMs: number): void {
    if (message.doneAtMs !== null || isLive(message)) return;
    message.doneAtMs = nowMs;
    this.#live.delete(message);
    if (!this.#keepsFailed || !hasFailed(message)) this.#letGo(message);
  }

  #letGo(message: StoredMessage): void {
    if (message.place?.kind === "spool") {
      const { name } = message.place;
      const uses = (this.#uses.get(name) ?? 1) - 1;
      this.#uses.set(name, uses);
      if (uses === 0) {
        this.#uses.delete(name);
        this.#spooled.delete(name);
      }
    }
    message.place = null;
  }
}

function refusal(reason: string): StoreError {
  return new StoreError("unavailable", `Cannot store a message: ${reason}`);
}

/** The messages with copies of their octets; those that share them share the copy. */
function inOwnMemory(messages: readonly NewMessage[]): NewMessage[] {
  const copies = new Map<Uint8Array, Uint8Array>();
  return messages.map((message) => {
    const { place: { head, ...place } } = message;
    const own = head === undefined ? {} : { head: head.slice() };
    if (place.kind === "spool") return { ...message, place: { ...place, ...own } };
    const bytes = copies.get(place.bytes) ?? place.bytes.slice();
    copies.set(place.bytes, bytes);
    return { ...message, place: { kind: "inline", bytes, ...own } };
  });
}

async function* inChunks(
  pieces: readonly Uint8Array[],
  from: number,
): AsyncGenerator<Uint8Array> {
  let skipBytes = from;
  for (const piece of pieces) {
    for (let start = skipBytes; start < piece.length; start += CHUNK_BYTES) {
      yield piece.subarray(start, start + CHUNK_BYTES);
    }
    skipBytes = Math.max(0, skipBytes - piece.length);
  }
}
