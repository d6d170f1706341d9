import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford base 32
const TAIL_LIMIT = 2 ** 35;

/**
 * Makes queue ids: 16 characters of Crockford base 32, 9 of the time in
 * milliseconds and 7 of a number that starts random in each millisecond and
 * then counts up. Ids sort by time, are strictly increasing within one
 * generator, and two nodes do not meet in practice.
 */
export function idGenerator({ clock, random }: { clock: Clock; random: Random }): () => string {
  let lastMs = -1;
  let head = "";
  let tail = 0;
  return () => {
    const nowMs = clock.now();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      head = base32(nowMs, 9);
      tail = Math.floor(random.float() * (TAIL_LIMIT / 2));
    } else if (++tail >= TAIL_LIMIT) {
      lastMs += 1;
      head = base32(lastMs, 9);
      tail = 0;
    }
    return head + base32(tail, 7);
  };
}

/** Whether `text` has the form of a queue id. */
export function isQueueId(text: string): boolean {
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(text);
}

/** When a queue id was made, in milliseconds since the Unix epoch. */
export function timeOfQueueId(id: string): number {
  let timeMs = 0;
  for (const digit of id.slice(0, 9)) timeMs = timeMs * 32 + ALPHABET.indexOf(digit);
  return timeMs;
}

function base32(value: number, width: number): string {
  let text = "";
  let rest = value;
  for (let place = 0; place < width; place++) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
