import type { Context } from "hono";
import { encodeText } from "../../base/bytes.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import type { AdminEnv } from "../env.ts";
import type { EventsPort } from "../ports.ts";

/** Something happened more often than this is one change. */
const STEP_MS = 1_000;

/**
 * Tells pages that something happened, at most once a second and without saying what: they ask for
 * themselves again. So a page costs the same whether one or a thousand messages a second pass, and
 * what it shows is made in one place.
 */
export function changeStream(
  c: Context<AdminEnv>,
  { events, clock }: { events: EventsPort; clock: Clock },
): Response {
  const ended = new AbortController();
  const signal = AbortSignal.any([c.req.raw.signal, ended.signal]);
  const batches = events.subscribe({ afterId: events.lastId, signal })[Symbol.asyncIterator]();
  let isFirst = true;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encodeText("retry: 3000\n\n"));
    },
    async pull(controller) {
      if (!isFirst) await sleep(clock, { delayMs: STEP_MS, signal }).catch(() => null);
      isFirst = false;
      const { done } = await batches.next();
      if (done !== true) return controller.enqueue(encodeText("event: changed\ndata:\n\n"));
      ended.abort();
      controller.close();
    },
    cancel() {
      ended.abort();
    },
  }, { highWaterMark: 0 });
  return c.body(body, 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "x-accel-buffering": "no", // nginx would keep it back otherwise
  });
}
