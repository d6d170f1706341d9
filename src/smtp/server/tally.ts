import type { Reply } from "../../mail/reply.ts";
import type { SessionLimits } from "./limits.ts";
import { REPLIES } from "./replies.ts";
import type { CloseReason } from "./verb.ts";

/** A limit that a session has reached, and what the client is told of it. */
export interface Excess {
  readonly reply: Reply;
  readonly reason: CloseReason;
}

/** Counts what a session does. */
export class SessionTally {
  /** Messages accepted. */
  messages = 0;
  /** Transactions begun. */
  transactions = 0;
  #commands = 0;
  #errors = 0;

  /** Counts a command; `octets` are those the session has read so far. */
  countCommand(limits: SessionLimits, octets: number): Excess | null {
    if (this.#errors >= limits.errors) return EXCESSES.errors;
    if (++this.#commands > limits.commands) return EXCESSES.commands;
    return isOver(octets, limits.sessionBytes) ? EXCESSES.octets : null;
  }

  /** Counts a transaction that is about to begin. */
  countTransaction(limits: SessionLimits): Excess | null {
    return isOver(++this.transactions, limits.messages) ? EXCESSES.messages : null;
  }

  countError(): void {
    this.#errors++;
  }

  /** A client that gets mail through is a good one: its errors and commands are forgotten. */
  countMessage(): void {
    this.messages++;
    this.#errors = 0;
    this.#commands = 0;
  }
}

const EXCESSES = {
  errors: { reply: REPLIES.tooManyErrors, reason: "too_many_errors" },
  commands: { reply: REPLIES.tooManyCommands, reason: "too_many_commands" },
  messages: { reply: REPLIES.tooManyMessages, reason: "too_many_messages" },
  octets: { reply: REPLIES.tooManyOctets, reason: "too_many_octets" },
} as const satisfies Record<string, Excess>;

function isOver(count: number, limit: number): boolean {
  return limit > 0 && count > limit;
}
