import type { RelayEvent } from "../../src/observe/events.ts";

const outcome = {
  messageId: "01JZ0000000000M1",
  recipient: "bob@example.com",
  transport: "mx",
  destination: "example.com",
  remote: "mx.example.com[192.0.2.1]:25",
  attempts: 2,
  delayMs: 125_000,
};
const session = { sessionId: "01JZ0000000000S1", listener: "smtp", clientAddress: "192.0.2.9" };
const entry = {
  messageId: "01JZ0000000000M1",
  listener: "smtp",
  clientAddress: "192.0.2.9",
  reversePath: "ann@example.org",
};
const NEXT_MS = Date.UTC(2025, 6, 1, 9, 5, 0);

/** One event of each kind with the sentence that describes it. */
export const SAMPLE_EVENTS: readonly (readonly [RelayEvent, string])[] = [
  [
    { type: "session_opened", ...session, clientPort: 4711 },
    "session opened on smtp by 192.0.2.9 port 4711",
  ],
  [
    { type: "session_closed", ...session, clientPort: 4711, reason: "quit", messages: 1 },
    "session on smtp with 192.0.2.9 closed after 1 message: quit",
  ],
  [
    {
      type: "command_refused",
      ...session,
      verb: "RCPT",
      reply: "554 5.7.1 Relay access denied",
      cause: "no rule allows it",
    },
    "RCPT from 192.0.2.9 on smtp refused: 554 5.7.1 Relay access denied (no rule allows it)",
  ],
  [
    { type: "accepted", ...entry, recipients: 3, sizeBytes: 2100 },
    "accepted on smtp from 192.0.2.9: sender <ann@example.org>, 3 recipients, 2.1 KiB",
  ],
  [
    { type: "refused", ...entry, reply: "451 4.3.0 Try again later", cause: "store is full" },
    "refused on smtp from 192.0.2.9: sender <ann@example.org>, " +
    "answered 451 4.3.0 Try again later (store is full)",
  ],
  [
    { type: "delivered", ...outcome, tls: "TLSv1.3", reply: "250 2.0.0 Ok" },
    "delivered to <bob@example.com> (mx, mx.example.com[192.0.2.1]:25, TLSv1.3) " +
    "after 2 min 5 s, attempt 2: 250 2.0.0 Ok",
  ],
  [
    { type: "deferred", ...outcome, remote: "", reply: "451 Later", nextAttemptAtMs: NEXT_MS },
    "deferred for <bob@example.com> (mx) after 2 min 5 s, attempt 2, " +
    "next attempt 2025-07-01T09:05:00Z: 451 Later",
  ],
  [
    { type: "bounced", ...outcome, reply: "550 5.1.1 No such mailbox" },
    "bounced for <bob@example.com> (mx, mx.example.com[192.0.2.1]:25) " +
    "after 2 min 5 s, attempt 2: 550 5.1.1 No such mailbox",
  ],
  [
    { type: "expired", ...outcome, remote: "", reply: "451 Later" },
    "expired for <bob@example.com> (mx) after 2 min 5 s, attempt 2: 451 Later",
  ],
  [
    { type: "uncertain", ...outcome, remote: "", reply: "451 Connection lost" },
    "maybe delivered to <bob@example.com> (mx) after 2 min 5 s, attempt 2: 451 Connection lost",
  ],
  [
    {
      ...{ type: "feedback", messageId: "01JZ0000000000M1", recipient: "bob@example.com" },
      ...{ kind: "bounced", source: "bounce", reason: "550 5.1.1 No such user", suppressed: true },
    },
    "hard bounce from <bob@example.com>, now suppressed, reported by bounce: " +
    "550 5.1.1 No such user",
  ],
  [
    {
      type: "notified",
      messageId: "01JZ0000000000M1",
      notificationId: "01JZ0000000000N1",
      action: "failed",
      to: "ann@example.org",
    },
    '<ann@example.org> is notified of "failed" by 01JZ0000000000N1',
  ],
  [
    { type: "held", messageId: "01JZ0000000000M1", by: "admin", reason: "looks odd" },
    "held by admin: looks odd",
  ],
  [
    { type: "released", messageId: "01JZ0000000000M1", by: "admin" },
    "released by admin",
  ],
  [
    {
      type: "destination_down",
      transport: "mx",
      destination: "example.com",
      reason: "nobody answers",
      retryAtMs: NEXT_MS,
    },
    "example.com is down (mx), next attempt 2025-07-01T09:05:00Z: nobody answers",
  ],
  [
    { type: "destination_up", transport: "mx", destination: "example.com", reason: "250 Ok" },
    "example.com is up again (mx): 250 Ok",
  ],
  [
    { type: "listening", listener: "smtp", address: "127.0.0.1:2525" },
    "listening on 127.0.0.1:2525 (smtp)",
  ],
  [
    { type: "operated", by: "user ada", action: "paused", target: "transport mx", reason: "slow" },
    "user ada paused transport mx: slow",
  ],
  [{ type: "draining" }, "draining"],
  [{ type: "reloaded", detail: "posthouse.toml" }, "reloaded: posthouse.toml"],
  [
    {
      type: "trouble",
      level: "error",
      component: "queue",
      message: "Cannot write",
      messageId: "01JZ0000000000M1",
      cause: new TypeError("odd", { cause: new RangeError("deeper") }),
    },
    "queue: Cannot write (TypeError: odd; because of RangeError: deeper)",
  ],
];
