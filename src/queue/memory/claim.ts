import { concatBytes } from "../../base/bytes.ts";
import type { ClaimedMessage, ClaimRequest, ClaimResult } from "../store.ts";
import { recipientRecord, type StoredMessage, type StoredRecipient } from "./message.ts";

/** Frees claims of others that ended by themselves: the node that held them is taken for dead. */
export function freeExpiredLeases(
  messages: Iterable<StoredMessage>,
  { nowMs, owner: asking }: Pick<ClaimRequest, "nowMs" | "owner">,
): void {
  for (const message of messages) {
    const freed = message.recipients.filter(({ status: { owner }, leaseUntilMs }) =>
      owner !== null && owner !== asking && leaseUntilMs <= nowMs
    );
    const owners = new Set(freed.map(({ status }) => status.owner));
    for (const owner of owners) {
      const lost = freed.filter(({ status }) => status.owner === owner);
      message.timeline.push({
        atMs: nowMs,
        kind: "interrupted",
        recipients: lost.map(({ fixed }) => fixed.index),
        detail: { owner },
      });
      for (const recipient of lost) recipient.status = { ...recipient.status, owner: null };
    }
  }
}

/** Claims due recipients, oldest first, within the limits of the request. */
export function claimDue(messages: Iterable<StoredMessage>, request: ClaimRequest): ClaimResult {
  const live = [...messages];
  const room = new Map<string, number>();
  const picked = new Map<StoredMessage, StoredRecipient[]>();
  let count = 0;
  for (const { message, recipient } of dueRecipients(live, request.nowMs)) {
    const { domain } = recipient.fixed;
    const pause = request.paused.get(domain);
    const { expiresAtMs } = message.record;
    const mayWait = !recipient.status.rerouted && expiresAtMs > request.nowMs;
    if (pause !== undefined && pause.untilMs > request.nowMs && mayWait) {
      const { untilMs, reason: lastReply } = pause;
      const nextAttemptAtMs = Math.min(untilMs, expiresAtMs);
      recipient.status = { ...recipient.status, nextAttemptAtMs, lastReply };
      continue;
    }
    const left = room.get(domain) ?? request.perDomain - (request.active.get(domain) ?? 0);
    if (left <= 0 || count >= request.limit) continue;
    room.set(domain, left - 1);
    count += 1;
    recipient.status = { ...recipient.status, owner: request.owner };
    recipient.leaseUntilMs = (request.leaseFromMs ?? request.nowMs) + request.leaseMs;
    const group = picked.get(message);
    if (group === undefined) picked.set(message, [recipient]);
    else group.push(recipient);
  }
  return {
    claimed: withBodies(picked, request.bodyBudgetBytes),
    nextDueAtMs: nextDue(live, { request, isCut: count >= request.limit }),
  };
}

function dueRecipients(
  messages: readonly StoredMessage[],
  nowMs: number,
): { message: StoredMessage; recipient: StoredRecipient }[] {
  const due = messages.flatMap((message) =>
    message.recipients
      .filter(({ status }) =>
        status.state === "queued" && status.owner === null && status.nextAttemptAtMs <= nowMs
      )
      .map((recipient) => ({ message, recipient }))
  );
  return due.sort((a, b) =>
    a.recipient.status.nextAttemptAtMs - b.recipient.status.nextAttemptAtMs
  );
}

/** The next attempt of a queued recipient that is not claimed; null when there is none. */
export function earliestDue(messages: Iterable<StoredMessage>): number | null {
  let first = Infinity;
  for (const { recipients } of messages) {
    for (const { status } of recipients) {
      if (status.state !== "queued" || status.owner !== null) continue;
      first = Math.min(first, status.nextAttemptAtMs);
    }
  }
  return first === Infinity ? null : first;
}

function withBodies(
  picked: ReadonlyMap<StoredMessage, readonly StoredRecipient[]>,
  budgetBytes: number,
): ClaimedMessage[] {
  let leftBytes = budgetBytes;
  return [...picked].map(([{ record, place }, recipients]) => {
    const claimed = { message: record, recipients: recipients.map(recipientRecord) };
    if (place?.kind !== "inline" || place.bytes.length > leftBytes) return claimed;
    const { head, bytes } = place;
    const octets = head === undefined ? bytes : concatBytes([head, bytes]);
    leftBytes -= octets.length;
    return { ...claimed, bytes: octets };
  });
}

/** Due recipients that stay behind belong to domains at their limit, unless the claim was cut. */
function nextDue(
  messages: readonly StoredMessage[],
  { request: { nowMs, owner }, isCut }: { request: ClaimRequest; isCut: boolean },
): number | null {
  let first = Infinity;
  for (const { recipients } of messages) {
    for (const { status, leaseUntilMs } of recipients) {
      if (status.state !== "queued" || status.owner === owner) continue;
      const atMs = status.owner === null ? status.nextAttemptAtMs : leaseUntilMs;
      if (atMs > nowMs || isCut) first = Math.min(first, atMs);
    }
  }
  return first === Infinity ? null : first;
}
