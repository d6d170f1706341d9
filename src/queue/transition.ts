import type { Disposition, FinalState, QueueCommand, RecipientState } from "./store.ts";

/** The part of a recipient that changes while it is in the store. */
export interface RecipientStatus {
  readonly state: RecipientState;
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly delayNotified: boolean;
  /** Whether an operator released it. */
  readonly released: boolean;
  /** Whether an operator gave it up; it fails at its next claim. */
  readonly returned: boolean;
  readonly lastReply: string;
  /** Who holds the claim; null when nobody does. Only queued recipients are ever held. */
  readonly owner: string | null;
}

/** Whether nothing moves a recipient in this state any more. */
export function isFinal(state: RecipientState): state is FinalState {
  return state !== "queued" && state !== "held";
}

/**
 * What settling makes of a recipient; null leaves it as it is. A recipient that `owner` does not
 * hold any more is left alone, but a delivery that took place is a fact whoever holds it now.
 */
export function settled(
  current: RecipientStatus,
  { disposition, reply, owner }: {
    disposition: Disposition;
    reply: string | undefined;
    owner: string;
  },
): RecipientStatus | null {
  const isDelivery = disposition.kind === "final" && disposition.state === "delivered";
  if (isDelivery ? current.state === "delivered" : current.owner !== owner) return null;
  const next = { ...current, owner: null, lastReply: reply ?? current.lastReply };
  switch (disposition.kind) {
    case "retry":
      return {
        ...next,
        attempts: current.attempts + (disposition.counts ? 1 : 0),
        nextAttemptAtMs: disposition.nextAttemptAtMs,
        delayNotified: current.delayNotified || disposition.delayNotified === true,
      };
    case "hold":
      return { ...next, state: "held" };
    case "final": {
      const { state } = disposition;
      return { ...next, state, attempts: current.attempts + (state === "cancelled" ? 0 : 1) };
    }
  }
}

/** A command that changes recipients. */
export type RecipientCommand = Exclude<QueueCommand, { readonly kind: "delete" }>;

/**
 * What an operator's command makes of a recipient; null leaves it as it is. `hold`, `cancel`
 * and `bounce` take effect on a claimed recipient as well: its owner loses the claim.
 */
export function commanded(
  current: RecipientStatus,
  { command, nowMs }: { command: RecipientCommand; nowMs: number },
): RecipientStatus | null {
  const { state } = current;
  switch (command.kind) {
    case "retry":
      if (state !== "queued" || current.owner !== null) return null;
      return current.nextAttemptAtMs <= nowMs ? null : { ...current, nextAttemptAtMs: nowMs };
    case "hold":
      return state === "queued" ? { ...current, state: "held", owner: null } : null;
    case "release":
      return state === "held"
        ? { ...current, state: "queued", nextAttemptAtMs: nowMs, released: true }
        : null;
    case "cancel":
      return isFinal(state) ? null : { ...current, state: "cancelled", owner: null };
    case "bounce":
      if (isFinal(state) || current.returned) return null;
      return {
        ...current,
        state: "queued",
        nextAttemptAtMs: nowMs,
        owner: null,
        returned: true,
      };
  }
}

const DONE: Readonly<Record<RecipientCommand["kind"], string>> = {
  retry: "retried",
  hold: "held",
  release: "released",
  cancel: "cancelled",
  bounce: "returned",
};

/** The word for a command in timelines. */
export function commandDone({ kind }: RecipientCommand): string {
  return DONE[kind];
}

/** The reply of a recipient whose octets cannot be found; it is held for an operator. */
export const MISSING_BODY_REPLY = "451 4.3.0 The octets of the message are missing from the store";
/** The reply of a recipient whose record cannot be read; it is held for an operator. */
export const DAMAGED_RECORD_REPLY = "451 4.3.0 The record of the message is damaged";
