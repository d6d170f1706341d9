import { foldAscii } from "./mailbox.ts";
import type {
  Disposition,
  FinalState,
  QueueCommand,
  Readdressing,
  RecipientState,
  TimelineEntry,
} from "./store.ts";

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
  /** The transport of its last attempt, or the one chosen for it; null when neither is known. */
  readonly transport: string | null;
  /** Whether an operator chose the transport. */
  readonly rerouted: boolean;
  /** As in `RecipientRecord`; 0 for none. */
  readonly doubts: number;
  readonly lastReply: string;
  /** Who holds the claim; null when nobody does. Only queued recipients are ever held. */
  readonly owner: string | null;
}

/** Doubts are counted no further. */
const MOST_DOUBTS = 3;

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
  { disposition, reply, owner, transport }: {
    disposition: Disposition;
    reply: string | undefined;
    owner: string;
    /** Of the attempt; undefined when none was made. */
    transport: string | undefined;
  },
): RecipientStatus | null {
  const isDelivery = disposition.kind === "final" && disposition.state === "delivered";
  if (isDelivery ? current.state === "delivered" : current.owner !== owner) return null;
  const next = {
    ...current,
    owner: null,
    lastReply: reply ?? current.lastReply,
    transport: current.rerouted ? current.transport : transport ?? current.transport,
  };
  switch (disposition.kind) {
    case "retry":
      return {
        ...next,
        attempts: current.attempts + (disposition.counts ? 1 : 0),
        nextAttemptAtMs: disposition.nextAttemptAtMs,
        delayNotified: current.delayNotified || disposition.delayNotified === true,
        doubts: doubtsAfter(current, disposition.doubtful === true),
      };
    case "hold":
      return {
        ...next,
        state: "held",
        attempts: current.attempts + (disposition.counts === true ? 1 : 0),
        // An attempt leads to this alone when nobody knows what came of it.
        doubts: doubtsAfter(current, disposition.counts === true),
      };
    case "final": {
      const { state } = disposition;
      return { ...next, state, attempts: current.attempts + (state === "cancelled" ? 0 : 1) };
    }
  }
}

function doubtsAfter({ doubts }: RecipientStatus, isDoubtful: boolean): number {
  return isDoubtful ? Math.min(doubts + 1, MOST_DOUBTS) : doubts;
}

/** A command that changes recipients one by one. */
export type RecipientCommand = Exclude<QueueCommand, { readonly kind: "delete" | "readdress" }>;

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
      // What is due may wait all the same, for a way that is down; it is tried now as well.
      return { ...current, nextAttemptAtMs: Math.min(current.nextAttemptAtMs, nowMs) };
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
    case "reroute":
      return rerouted(current, { transport: command.transport, nowMs });
  }
}

function rerouted(
  current: RecipientStatus,
  { transport, nowMs }: { transport: string | null; nowMs: number },
): RecipientStatus | null {
  if (isFinal(current.state)) return null;
  const isSame = current.rerouted === (transport !== null) &&
    (transport === null || current.transport === transport);
  if (isSame) return null;
  const isWaiting = current.state === "queued" && current.owner === null;
  const nextAttemptAtMs = isWaiting
    ? Math.min(current.nextAttemptAtMs, nowMs)
    : current.nextAttemptAtMs;
  return { ...current, transport, rerouted: transport !== null, nextAttemptAtMs };
}

/** A recipient of a message, for whom a readdressing may have news. */
interface Addressee {
  readonly index: number;
  readonly forwardPath: string;
  readonly state: RecipientState;
}

/**
 * What a readdressing comes to for one message: recipients to cancel, by index, and mailboxes to
 * add. Null when it changes nothing: the message is done, or lacks the mailbox to be removed.
 */
export function readdressed(
  recipients: readonly Addressee[],
  { command: { remove, add }, fits }: {
    command: Readdressing;
    /** Whether the filter means a recipient, by index. */
    fits: (index: number) => boolean;
  },
): { readonly cancel: readonly number[]; readonly add: Readdressing["add"] } | null {
  if (recipients.every(({ state }) => isFinal(state))) return null;
  const removed = remove === undefined ? null : foldAscii(remove);
  const cancel = recipients.filter(({ index, forwardPath, state }) =>
    !isFinal(state) && foldAscii(forwardPath) === removed && fits(index)
  ).map(({ index }) => index);
  if (removed !== null && cancel.length === 0) return null;
  const served = new Set(
    recipients.filter(({ index, state }) =>
      !cancel.includes(index) && (!isFinal(state) || state === "delivered")
    ).map(({ forwardPath }) => foldAscii(forwardPath)),
  );
  const added = add.filter(({ forwardPath }) => {
    const isNew = !served.has(foldAscii(forwardPath));
    served.add(foldAscii(forwardPath));
    return isNew;
  });
  return cancel.length === 0 && added.length === 0 ? null : { cancel, add: added };
}

/** What the timeline says of a readdressing after which there are `total` recipients. */
export function readdressedEntry(
  { cancel, add }: { readonly cancel: readonly number[]; readonly add: Readdressing["add"] },
  { command: { remove }, total, nowMs, by }: {
    command: Readdressing;
    total: number;
    nowMs: number;
    by: string;
  },
): TimelineEntry {
  const added = add.map((_, position) => total - add.length + position);
  return {
    atMs: nowMs,
    kind: "readdressed",
    recipients: [...cancel, ...added],
    detail: {
      by,
      ...(remove === undefined ? {} : { removed: remove }),
      added: add.map(({ forwardPath }) => forwardPath),
    },
  };
}

const DONE: Readonly<Record<RecipientCommand["kind"], string>> = {
  retry: "retried",
  hold: "held",
  release: "released",
  cancel: "cancelled",
  bounce: "returned",
  reroute: "rerouted",
};

/** What timelines say of a command: a word, and who did what. */
export function commandDone(
  command: RecipientCommand,
  by: string,
): Pick<TimelineEntry, "kind" | "detail"> {
  const isWay = command.kind === "reroute" && command.transport !== null;
  const detail = isWay ? { by, transport: command.transport } : { by };
  return { kind: DONE[command.kind], detail };
}

/** The reply of a recipient whose octets cannot be found; it is held for an operator. */
export const MISSING_BODY_REPLY = "451 4.3.0 The octets of the message are missing from the store";
/** The reply of a recipient whose record cannot be read; it is held for an operator. */
export const DAMAGED_RECORD_REPLY = "451 4.3.0 The record of the message is damaged";

/** One recipient of a settlement: whether the store took it, as the claim still was. */
export interface SettledPart {
  readonly disposition: Disposition;
  readonly hasChanged: boolean;
}

/**
 * Whether the notifications of a settlement are true. They are if a recipient changed whose failure
 * or delay they tell of; where none failed or waits (RFC 3461 5.2.2), if any changed. Somebody who
 * holds a message during the attempt takes the claim away: a failure is void then, a delivery not.
 */
export function owesNotifications(parts: readonly SettledPart[]): boolean {
  const bad = parts.filter(({ disposition }) => isBadNews(disposition));
  return (bad.length > 0 ? bad : parts).some(({ hasChanged }) => hasChanged);
}

function isBadNews(disposition: Disposition): boolean {
  if (disposition.kind === "final") return disposition.state !== "delivered";
  return disposition.kind === "retry" && disposition.delayNotified === true;
}
