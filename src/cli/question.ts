import type { CliIo } from "./io.ts";

/** Asks a question that yes or no answers; anything but yes is no. */
export async function isAgreed(io: CliIo, question: string): Promise<boolean> {
  io.err(`${question} [y/N] `);
  const answer = await io.stdin.readLine();
  return /^y(es)?$/i.test(answer?.trim() ?? "");
}
