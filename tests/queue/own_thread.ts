import { setImmediate } from "node:timers";
import type { StoreThreads } from "../../src/queue/sqlite/link.ts";
import { WorkerEnd } from "../../src/queue/sqlite/worker_end.ts";

/**
 * The engine of a store in this thread, which is there at once where a worker has to load: what is
 * said is cloned as between threads, and comes a turn later.
 */
export const ownThread: StoreThreads = {
  start(_role, { onResponse }) {
    let isEnded = false;
    const later = (callback: () => void): void =>
      void setImmediate(() => {
        if (!isEnded) callback();
      });
    const end = new WorkerEnd({
      say(response, transfer) {
        const said = structuredClone(response, { transfer });
        later(() => onResponse(said));
      },
      every(periodMs, callback) {
        const timer = setInterval(callback, periodMs);
        return () => clearInterval(timer);
      },
      end() {},
    });
    return {
      postMessage(request, transfer = []) {
        const said = structuredClone(request, { transfer });
        later(() => end.answer(said));
      },
      terminate: () => void (isEnded = true),
    };
  },
  soon: (callback) => void setImmediate(callback),
};
