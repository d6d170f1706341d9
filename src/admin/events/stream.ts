import { encodeText } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import type { EventBatch, EventsPort } from "../ports.ts";
import { eventView } from "./event_view.ts";
import { type EventFilter, fitsEvent } from "./filter.ts";

/** Often enough that neither proxies nor browsers take a quiet stream for a dead one. */
const HEARTBEAT_MS = 15_000;

export interface EventStreamOptions {
  readonly afterId: number;
  readonly filter: EventFilter;
  readonly clock: Clock;
}

/**
 * Events in the form of server-sent events (WHATWG HTML 9.2). Nothing is read from the feed before
 * the client took what was read before, so a slow client holds one batch at most.
 */
export function eventStream(
  events: EventsPort,
  { afterId, filter, clock }: EventStreamOptions,
): ReadableStream<Uint8Array> {
  const ended = new AbortController();
  const batches = events.subscribe({ afterId, signal: ended.signal })[Symbol.asyncIterator]();
  let cancelHeartbeat = (): void => {};
  ended.signal.addEventListener("abort", () => cancelHeartbeat(), { once: true });
  const beat = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    cancelHeartbeat = clock.schedule(HEARTBEAT_MS, () => {
      if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encodeText(":\n\n"));
      beat(controller);
    });
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      // Tells the browser how soon to come back, and sends the header fields on their way.
      controller.enqueue(encodeText("retry: 2000\n\n"));
      beat(controller);
    },
    async pull(controller) {
      for (;;) {
        const batch = await batches.next();
        if (batch.done === true) {
          ended.abort();
          return controller.close();
        }
        const frames = framesOf(batch.value, filter);
        if (frames !== "") return controller.enqueue(encodeText(frames));
      }
    },
    cancel() {
      ended.abort();
    },
  });
}

function framesOf({ missed, events }: EventBatch, filter: EventFilter): string {
  let frames = missed === 0 ? "" : `event: missed\ndata: {"count":${missed}}\n\n`;
  for (const stamped of events) {
    if (!fitsEvent(stamped, filter)) continue;
    const data = JSON.stringify(eventView(stamped));
    frames += `id: ${stamped.id}\nevent: ${stamped.event.type}\ndata: ${data}\n\n`;
  }
  return frames;
}
