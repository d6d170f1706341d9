import { hasWideArithmetic } from "../signing/rsa/montgomery_code.ts";
import { type RsaThreads, rsaThreads } from "../signing/rsa/threads.ts";

/** Threads that sign with RSA, at most so many; null where the runtime cannot do what they need. */
export function signingThreads(most: number): RsaThreads | null {
  return hasWideArithmetic() ? rsaThreads({ most, workerUrl: workerUrl() }) : null;
}

/** Where their program is; bundled programs have it beside them as JavaScript. */
function workerUrl(): URL {
  const isBundled = !import.meta.url.endsWith("/app/signing_threads.ts");
  const path = isBundled ? "./signing/rsa/worker.js" : "../signing/rsa/worker.ts";
  return new URL(path, import.meta.url);
}
