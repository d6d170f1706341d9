import { headerValues } from "../mail/header_values.ts";
import { readHeader } from "../mail/headers.ts";
import {
  parseTraceparent,
  type SpanContext,
  type SpanSink,
  traceOfMessage,
} from "../observe/traces.ts";
import type {
  ClaimRequest,
  ClaimResult,
  MessageRecord,
  NewMessage,
  QueueStore,
  Settlement,
  TimelineEntry,
} from "../queue/store.ts";

/** The field by which a sender makes the relay part of its trace. */
const FIELD = "traceparent";
const REMEMBERED_MESSAGES = 20_000;

/** What is known of a message's trace between two steps. */
interface Journey {
  readonly parent: SpanContext;
  /** Since when it waits in the queue; null when this process does not know. */
  waitingSinceMs: number | null;
}

/**
 * A queue that tells a trace of each message: how it was stored, how long it waited and each
 * attempt. All of it passes through the queue, with its times, so no other part knows of traces.
 */
export function tracedStore(
  store: QueueStore,
  { spans, now }: { spans: SpanSink; now: () => number },
): QueueStore {
  const traces = new MessageTraces(spans);
  // The other methods are the store's own, bound to it for the sake of its private fields.
  const methods = new Map<PropertyKey, unknown>([
    ["put", async (message: NewMessage): Promise<void> => {
      const marked = withTraceparent(message);
      const startMs = now();
      await store.put(marked);
      traces.accepted(marked, { startMs, endMs: now() });
    }],
    ["putAll", async (messages: readonly NewMessage[]): Promise<void> => {
      const marked = messages.map(withTraceparent);
      const startMs = now();
      await store.putAll(marked);
      const endMs = now();
      for (const message of marked) traces.accepted(message, { startMs, endMs });
    }],
    ["claim", async (request: ClaimRequest): Promise<ClaimResult> => {
      const result = await store.claim(request);
      for (const { message } of result.claimed) traces.remember(message);
      return result;
    }],
    ["settle", async (settlement: Settlement): Promise<void> => {
      await store.settle(settlement);
      traces.settled(settlement);
      const { notifications } = settlement;
      for (const notice of notifications) traces.accepted(notice, { startMs: now(), endMs: now() });
    }],
  ]);
  return new Proxy(store, {
    get(target, key) {
      const own = methods.get(key);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/**
 * Keeps the trace that the message's own header section names with the message, unless the way in
 * knew one: that is nearer.
 */
function withTraceparent(message: NewMessage): NewMessage {
  if (message.headers?.[FIELD] !== undefined) return message;
  if (message.place.kind !== "inline") return message;
  const [value] = headerValues(readHeader(message.place.bytes), [FIELD])?.[FIELD] ?? [];
  if (value === undefined || parseTraceparent(value) === null) return message;
  return { ...message, headers: { ...message.headers, [FIELD]: [value] } };
}

/** Makes the spans of messages. */
class MessageTraces {
  readonly #spans: SpanSink;
  readonly #journeys = new Map<string, Journey>();

  constructor(spans: SpanSink) {
    this.#spans = spans;
  }

  accepted(message: NewMessage, { startMs, endMs }: { startMs: number; endMs: number }): void {
    const journey = this.remember(message);
    journey.waitingSinceMs = endMs;
    this.#spans({
      ...{ name: "posthouse accept", kind: "server", parent: journey.parent, startMs, endMs },
      attributes: {
        "posthouse.message.id": message.id,
        "posthouse.message.size": message.facts.sizeBytes,
        "posthouse.message.recipients": message.recipients.length,
        "posthouse.listener": message.origin.listener,
        "posthouse.protocol": message.origin.protocol,
      },
      failure: null,
    });
  }

  remember({ id, headers }: MessageRecord): Journey {
    const known = this.#journeys.get(id);
    if (known !== undefined) return known;
    const [traceparent = ""] = headers?.[FIELD] ?? [];
    const parent = parseTraceparent(traceparent) ?? traceOfMessage(id);
    const journey: Journey = { parent, waitingSinceMs: null };
    this.#journeys.set(id, journey);
    if (this.#journeys.size > REMEMBERED_MESSAGES) {
      const [oldest] = this.#journeys.keys();
      if (oldest !== undefined) this.#journeys.delete(oldest);
    }
    return journey;
  }

  settled({ messageId, timeline }: Settlement): void {
    const journey = this.#journeys.get(messageId) ??
      { parent: traceOfMessage(messageId), waitingSinceMs: null };
    for (const entry of timeline) {
      if (entry.kind === "attempt") this.#attempted(messageId, { journey, entry });
    }
  }

  #attempted(
    messageId: string,
    { journey, entry }: { journey: Journey; entry: TimelineEntry },
  ): void {
    const { parent, waitingSinceMs } = journey;
    const { atMs, detail } = entry;
    const endMs = atMs + (typeof detail["durationMs"] === "number" ? detail["durationMs"] : 0);
    const common = { parent, attributes: { "posthouse.message.id": messageId } };
    if (waitingSinceMs !== null && waitingSinceMs <= atMs) {
      this.#spans({
        ...{ ...common, name: "posthouse queue", kind: "internal", failure: null },
        startMs: waitingSinceMs,
        endMs: atMs,
      });
    }
    journey.waitingSinceMs = endMs;
    this.#spans({
      ...{ ...common, name: "posthouse deliver", kind: "client", startMs: atMs, endMs },
      attributes: {
        ...common.attributes,
        "posthouse.recipients": entry.recipients.length,
        ...textsOf(detail, ["transport", "destination", "remote", "tls", "route"]),
      },
      failure: failureOf(detail["outcomes"]),
    });
  }
}

function textsOf(
  detail: TimelineEntry["detail"],
  keys: readonly string[],
): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => {
    const value = detail[key];
    return typeof value === "string" && value !== "" ? [[`posthouse.${key}`, value]] : [];
  }));
}

/** The first reply of an attempt that was no delivery for somebody. */
function failureOf(outcomes: unknown): string | null {
  if (!Array.isArray(outcomes)) return null;
  const failed = outcomes.find(({ kind }) => kind !== "delivered");
  return failed === undefined ? null : String(failed.reply);
}
