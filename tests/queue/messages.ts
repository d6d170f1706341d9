import { encodeText } from "../../src/base/bytes.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { ClaimRequest, NewMessage, NewRecipient, Settlement } from "../../src/queue/store.ts";

/** When the tests take place. */
export const NOW_MS = 1_700_000_000_000;

/** A clock that stands at `nowMs`. */
export function fixedClock(nowMs = NOW_MS): Clock {
  return { now: () => nowMs, monotonic: () => nowMs, schedule: () => () => {} };
}

/** A recipient that is due, of a mailbox. */
export function recipientOf(
  forwardPath: string,
  overrides: Partial<NewRecipient> = {},
): NewRecipient {
  const domain = forwardPath.slice(forwardPath.lastIndexOf("@") + 1);
  return { forwardPath, domain, state: "queued", nextAttemptAtMs: NOW_MS, ...overrides };
}

/** A message with an id of its own number. */
export function messageOf(
  number: number,
  { to = ["user@dest.example"], ...overrides }:
    & Partial<NewMessage>
    & { to?: readonly (string | NewRecipient)[] } = {},
): NewMessage {
  return {
    id: idOf(number),
    receivedAtMs: NOW_MS + number,
    reversePath: "sender@origin.example",
    body: "8BITMIME",
    smtpUtf8: false,
    origin: {
      listener: "smtp",
      clientAddress: "192.0.2.1",
      clientPort: 4321,
      helo: "client.example",
      protocol: "ESMTP",
    },
    facts: {
      sizeBytes: 20,
      eightBit: false,
      dotLines: 0,
      longestLineBytes: 18,
      lineOriented: true,
    },
    summary: { subject: `Message ${number}`, from: "sender@origin.example", messageId: "" },
    expiresAtMs: NOW_MS + 4 * 24 * 3600 * 1000,
    place: { kind: "inline", bytes: encodeText(`Subject: ${number}\r\n\r\nText\r\n`) },
    recipients: to.map((one) => typeof one === "string" ? recipientOf(one) : one),
    ...overrides,
  };
}

/** The queue id of a test message. */
export function idOf(number: number): string {
  return `01TEST${String(number).padStart(10, "0")}`;
}

/** A claim with room for all. */
export function claimOf(overrides: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    nowMs: NOW_MS,
    owner: "node-a",
    leaseMs: 60_000,
    limit: 1_000,
    perDomain: 1_000,
    active: new Map(),
    paused: new Map(),
    bodyBudgetBytes: 1_000_000,
    ...overrides,
  };
}

/** A settlement that delivers the first recipient. */
export function settlementOf(number: number, overrides: Partial<Settlement> = {}): Settlement {
  return {
    messageId: idOf(number),
    owner: "node-a",
    recipients: [{ index: 0, disposition: { kind: "final", state: "delivered" }, reply: "250 ok" }],
    timeline: [],
    notifications: [],
    ...overrides,
  };
}
