import { LIVE_MASK } from "./counters.ts";
import { existsSync } from "./files.ts";
import { keyOf, POSITIONS } from "./key.ts";
import type { EventWriter } from "./outbox_table.ts";
import { PACKED_RECIPIENT_FIELDS, type PackedMessage } from "./protocol.ts";
import { TEXT_RECIPIENTS } from "./search_text.ts";
import { octetsSharer } from "./octets.ts";
import type { Workbench } from "./workbench.ts";

/**
 * Stores a message with its recipients, its octets and what is told of it, and returns its number.
 * `first` is that of the message with which it shares its octets, where that is another one.
 */
export type MessageWriter = (message: PackedMessage, first?: number) => number;

/** Makes the writer of messages. */
export function messageWriter(bench: Workbench, { tell }: { tell: EventWriter }): MessageWriter {
  const { database, counters } = bench;
  const insertMessage = database.prepare(
    `INSERT INTO messages (id, received_at, reverse_path, record, spool, mask, queued, held,
       delivered, failed, expired, cancelled, last_reply, done_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, '', ?)`,
  );
  const insertRecipient = database.prepare(
    `INSERT INTO recipients (key, forward_path, domain, extras, state, attempts, next_attempt_at,
       delay_notified, last_reply, owner, lease_until, transport, received_at, size, listener)
     VALUES (?, ?, ?, ?, ?, 0, ?, ?, '', ?, ?, ?, ?, ?, ?)`,
  );
  const insertFacts = database.prepare("INSERT INTO facts VALUES (?, ?, ?, ?, ?, lower(?), ?)");
  const selectKnown = database.prepare<[number]>("SELECT seq FROM messages WHERE id = ?");
  const insertHead = database.prepare("INSERT INTO heads VALUES (?, ?)");
  const share = octetsSharer(database);
  const insertBody = database.prepare("INSERT INTO bodies VALUES (?, ?)");

  return (message, first) => {
    const [id, receivedAtMs, reversePath, record, spool, start, length] = message;
    const [, , , , , , , leaseOwner, leaseUntilMs, nowMs, recipients, events] = message;
    const [, , , , , , , , , , , , sizeBytes, listener, text] = message;
    const [, , , , , , , , , , , , , , , headStart, headBytes, sharesWith] = message;
    if (recipients.length > POSITIONS * PACKED_RECIPIENT_FIELDS) {
      const count = recipients.length / PACKED_RECIPIENT_FIELDS;
      throw new Error(`a message has at most ${POSITIONS} recipients, got ${count}`);
    }
    const known = bench.isAgain ? selectKnown.first(id) : undefined;
    if (known !== undefined) return known[0];
    if (spool !== null && !existsSync(`${bench.spoolFolder}/${spool}`)) {
      throw new Error(`the spool file of the message is not there, got ${spool}`);
    }
    if (leaseOwner !== null) bench.owners.add(leaseOwner);
    const { queued, held } = countStates(recipients);
    const mask = (queued > 0 ? 1 : 0) | (held > 0 ? 2 : 0);
    const isLive = (mask & LIVE_MASK) !== 0;
    const doneAtMs = isLive ? null : nowMs;
    const sequence = insertMessage
      .run(id, receivedAtMs, reversePath, record, spool, mask, queued, held, doneAtMs);
    const hasMore = recipients.length > TEXT_RECIPIENTS * PACKED_RECIPIENT_FIELDS ? 1 : 0;
    insertFacts.run(sequence, mask, receivedAtMs, sizeBytes, listener, text, hasMore);
    for (let at = 0, index = 0; at < recipients.length; at += PACKED_RECIPIENT_FIELDS, index++) {
      const [path, domain, extras, state, nextAttemptAtMs, marks, transport] = recipients
        .slice(at, at + PACKED_RECIPIENT_FIELDS) as PackedRecipient;
      // What was due when it came is due, though the clock may have been set back since.
      const isLeased = leaseOwner !== null && state === 0 &&
        nextAttemptAtMs <= Math.max(nowMs, receivedAtMs);
      const owner = isLeased ? leaseOwner : null;
      const untilMs = isLeased ? leaseUntilMs : null;
      const key = keyOf(sequence, index);
      insertRecipient
        .run(
          ...[key, path, domain, extras, state, nextAttemptAtMs, marks, owner, untilMs, transport],
          ...[receivedAtMs, sizeBytes, listener],
        );
      counters.addWaiting({ domain, state, lastReply: "", receivedAtMs }, 1);
    }
    if (sharesWith !== null && isLive) share(sequence, first ?? sequence);
    if (headBytes > 0 && isLive) {
      insertHead.run(sequence, bench.bytes.subarray(headStart, headStart + headBytes));
    }
    if (spool === null && isLive && first === undefined) {
      insertBody.run(sequence, bench.bytes.subarray(start, start + length));
    }
    if (spool !== null && !isLive && sharesWith === null) bench.unspooled.push(spool);
    counters.addMessages(mask, 1);
    counters.addRecipients(0, queued);
    counters.addRecipients(1, held);
    for (const event of events) tell(event);
    return sequence;
  };
}

type PackedRecipient = [
  forwardPath: string,
  domain: string,
  extras: string | null,
  state: number,
  nextAttemptAtMs: number,
  marks: number,
  transport: string | null,
];

function countStates(recipients: PackedMessage[10]): { queued: number; held: number } {
  let held = 0;
  for (let at = 3; at < recipients.length; at += PACKED_RECIPIENT_FIELDS) {
    if (recipients[at] === 1) held += 1;
  }
  return { queued: recipients.length / PACKED_RECIPIENT_FIELDS - held, held };
}
