/// <reference lib="deno.worker" />
import type { Request } from "./protocol.ts";
import { WorkerEnd } from "./worker_end.ts";

const end = new WorkerEnd({
  say: (response, handOver) => self.postMessage(response, handOver),
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    return () => clearInterval(timer);
  },
  end: () => self.close(),
});
self.onmessage = ({ data }: MessageEvent<Request>) => end.answer(data);
