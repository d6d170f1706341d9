/** A thread that signs with RSA; started by `threads.ts`. */
/// <reference lib="deno.worker" />
import type { SignRequest, ThreadMessage } from "./messages.ts";
import { RsaPrivateKey } from "./private_key.ts";

/** A key of a configuration is gone with its thread; a new one takes some 50 ms to start. */
const IDLE_MS = 10_000;

const keys = new Map<number, RsaPrivateKey>();
let idle: ReturnType<typeof setTimeout> | undefined;

self.onmessage = ({ data }: MessageEvent<readonly SignRequest[]>): void => {
  clearTimeout(idle);
  say(answer(data));
  idle = setTimeout(() => say({ kind: "idle" }), IDLE_MS);
};

function answer(requests: readonly SignRequest[]): ThreadMessage {
  try {
    const signatures = requests.map(({ key, parts, digest }) => keyOf(key, parts).sign(digest));
    return { kind: "signed", signatures };
  } catch (error) {
    return { kind: "failed", reason: String(error) };
  }
}

function keyOf(number: number, parts: SignRequest["parts"]): RsaPrivateKey {
  const known = keys.get(number);
  if (known !== undefined) return known;
  if (parts === null) throw new Error(`Cannot sign: key ${number} is unknown`);
  const key = new RsaPrivateKey(parts, (into) => crypto.getRandomValues(into));
  keys.set(number, key);
  return key;
}

function say(message: ThreadMessage): void {
  self.postMessage(message);
}
