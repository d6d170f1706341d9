import type { Context } from "hono";
import type { Clock } from "../../base/clock.ts";
import type { AdminEnv } from "../env.ts";

const CHECK_MS = 15_000;

/**
 * Ends a stream of events when its client may not have it any more: a request is checked when it
 * begins, and a stream may go on for days after that.
 */
export function whileAllowed(
  c: Context<AdminEnv>,
  { clock, isAllowed }: { clock: Clock; isAllowed: () => Promise<boolean> },
): void {
  const { body, headers, status } = c.res;
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (body !== null && isStream) {
    c.res = new Response(guarded(body, { clock, isAllowed }), { status, headers });
  }
}

function guarded(
  body: ReadableStream<Uint8Array>,
  { clock, isAllowed }: { clock: Clock; isAllowed: () => Promise<boolean> },
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isOver = false;
  let cancelCheck = (): void => {};
  const end = (): void => {
    isOver = true;
    cancelCheck();
  };
  const check = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    if (await isAllowed().catch(() => false)) {
      if (!isOver) cancelCheck = clock.schedule(CHECK_MS, () => void check(controller));
    } else if (!isOver) {
      end();
      controller.close();
      await reader.cancel().catch(() => {});
    }
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      cancelCheck = clock.schedule(CHECK_MS, () => void check(controller));
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (isOver) return;
      if (!done) return controller.enqueue(value);
      end();
      controller.close();
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
