import { systemClock } from "../../base/clock.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { type Letter, openSession, sendLetter, type Submission } from "../submit.ts";

const SESSIONS = 8;
const TIMEOUT_MS = 30_000;

/**
 * Sends letters over some sessions at once, as a busy application does. Returns null, or why one
 * was not taken.
 */
export async function sendLetters(
  letters: Iterable<Letter>,
  port: number,
): Promise<string | null> {
  using deadlines = new Deadlines({ clock: systemClock });
  const relay = {
    host: "127.0.0.1",
    port,
    heloName: "app.shop.example",
    timeoutMs: TIMEOUT_MS,
    deadlines,
  };
  const queue = letters[Symbol.iterator]();
  const sessions = Array.from({ length: SESSIONS }, () => sendFrom(queue, relay));
  const failures = await Promise.all(sessions);
  return failures.find((failure) => failure !== null) ?? null;
}

async function sendFrom(queue: Iterator<Letter>, relay: Submission): Promise<string | null> {
  const opened = await openSession(relay);
  if (opened.kind === "failed") return `Cannot send: ${opened.reason}`;
  for (let next = queue.next(); !next.done; next = queue.next()) {
    const { refused: [refusal] } = await sendLetter(opened.client, next.value);
    if (refusal !== undefined) return `Cannot send to ${refusal.recipient}: ${refusal.reply}`;
  }
  await opened.client.quit();
  return null;
}
