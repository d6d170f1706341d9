import { concatBytes } from "../../base/bytes.ts";
import { existsSync } from "./files.ts";
import type { ClaimRequest } from "../store.ts";
import { DAMAGED_RECORD_REPLY, MISSING_BODY_REPLY } from "../transition.ts";
import { type DueRow, type DueTable, dueTable } from "./due.ts";
import { messageOf, positionOf } from "./key.ts";
import type { Leases } from "./lease.ts";
import type { PackedClaim, RecipientRow } from "./protocol.ts";
import type { RecipientTable } from "./recipient.ts";
import { encodeEntry, type TimelineWriter } from "./timeline.ts";
import type { Workbench } from "./workbench.ts";

/** The most due rows one call looks at in order of time. */
const WALK_LIMIT = 2_000;
const WALK_PAGE = 250;
/** The most recipients of paused domains one call puts off. */
const PUT_OFF_LIMIT = 250;
/** The most domains one call looks at when the walk was cut short. */
const SWEEP_LIMIT = 256;
/** The most expired leases one call ends. */
const INTERRUPT_LIMIT = 1_000;
/** How soon to ask again when a call ended before it had seen every domain. */
const CONTINUE_MS = 20;

type MessageRow = [
  record: string,
  isValid: number,
  spool: string | null,
  shared: number | null,
];
type Claimed = PackedClaim["claimed"][number];

/**
 * Claims due recipients with bounded work. The walk takes them in order of time. When recipients
 * that cannot be claimed now (their domain is at its limit) cut it short, a sweep goes over the
 * domains, beginning where the last one ended, so that no domain starves behind another.
 */
export function claimHandler(
  bench: Workbench,
  parts: { leases: Leases; table: RecipientTable; timeline: TimelineWriter },
): (request: ClaimRequest) => PackedClaim {
  const { leases } = parts;
  const due = dueTable(bench);
  const open = messageOpener(bench, parts);
  let sweepFrom = "";

  return (request) => {
    const { nowMs, owner, leaseMs, leaseFromMs = nowMs } = request;
    if (bench.isAgain) leases.undo({ owner, untilMs: leaseFromMs + leaseMs });
    const interrupted = leases.interrupt({ asking: owner, nowMs, limit: INTERRUPT_LIMIT });
    const round = new Round(due, request);
    let hasSeenAll = round.walk();
    if (!hasSeenAll && !round.isFull) {
      const swept = round.sweep(sweepFrom);
      sweepFrom = swept.next;
      hasSeenAll = swept.hasSeenAll;
    }
    const claimed = open(round.picked, request);
    const isComplete = hasSeenAll && !round.leftToPutOff && interrupted < INTERRUPT_LIMIT;
    const dueMs = nextDue(due, { request, isComplete, isFull: round.isFull });
    const endMs = leases.firstEndMs(owner);
    const nextDueAtMs = dueMs === null || endMs === null ? dueMs ?? endMs : Math.min(dueMs, endMs);
    return { claimed, nextDueAtMs };
  };
}

function nextDue(
  due: DueTable,
  { request: { nowMs }, isComplete, isFull }: {
    request: ClaimRequest;
    isComplete: boolean;
    isFull: boolean;
  },
): number | null {
  if (isFull) return due.first(0);
  if (!isComplete) return nowMs + CONTINUE_MS;
  // What is due and still here belongs to domains at their limit.
  return due.first(nowMs);
}

/** One claim in the making. */
class Round {
  readonly picked = new Map<number, RecipientRow[]>();
  readonly #due: DueTable;
  readonly #request: ClaimRequest;
  /** How many more each domain may have. */
  readonly #room = new Map<string, number>();
  #left: number;
  #putOffsLeft = PUT_OFF_LIMIT;

  constructor(due: DueTable, request: ClaimRequest) {
    this.#due = due;
    this.#request = request;
    this.#left = request.limit;
  }

  get isFull(): boolean {
    return this.#left <= 0;
  }

  /** Whether recipients of paused domains may be left that are due by their rows. */
  get leftToPutOff(): boolean {
    return this.#putOffsLeft <= 0;
  }

  /** Goes through due rows by time; true when it came to the end. */
  walk(): boolean {
    const { nowMs } = this.#request;
    let seen = 0;
    let skipped = 0;
    while (seen < WALK_LIMIT && !this.isFull) {
      // Rows that were claimed or put off are no longer among the due ones.
      const rows = this.#due.byTime({ nowMs, skip: skipped, limit: WALK_PAGE });
      for (const row of rows) {
        if (this.isFull) return false;
        if (!this.#take(row)) skipped += 1;
      }
      if (rows.length < WALK_PAGE) return true;
      seen += rows.length;
    }
    return false;
  }

  /** Goes through domains from `from`, round-robin; true when it saw every one. */
  sweep(from: string): { hasSeenAll: boolean; next: string } {
    let domain = from;
    let hasWrapped = false;
    for (let visited = 0; visited < SWEEP_LIMIT; visited++) {
      if (this.isFull) return { hasSeenAll: false, next: domain };
      const next = this.#due.domainAfter(domain);
      if (next === null || (hasWrapped && next > from)) {
        if (hasWrapped || from === "") return { hasSeenAll: true, next: domain };
        hasWrapped = true;
        domain = "";
        continue;
      }
      domain = next;
      this.#takeDomain(domain);
    }
    return { hasSeenAll: false, next: domain };
  }

  #takeDomain(domain: string): void {
    const { nowMs, paused } = this.#request;
    const limit = paused.has(domain) ? WALK_PAGE : Math.min(this.#roomFor(domain), this.#left);
    if (limit <= 0) return;
    for (const row of this.#due.byDomain({ domain, nowMs, limit })) this.#take(row);
  }

  /** Claims a row, or puts it off; false when it stays as it is. */
  #take([key, domain]: DueRow): boolean {
    const { paused, owner, nowMs, leaseMs, leaseFromMs = nowMs } = this.#request;
    const pause = paused.get(domain);
    if (pause !== undefined && pause.untilMs > nowMs && this.#due.mayWait(key, nowMs)) {
      if (this.#putOffsLeft <= 0) return false;
      this.#putOffsLeft -= 1;
      this.#due.putOff({ key, ...pause });
      return true;
    }
    const room = this.#roomFor(domain);
    if (room <= 0) return false;
    this.#room.set(domain, room - 1);
    this.#left -= 1;
    const recipient = this.#due.claim({ key, owner, untilMs: leaseFromMs + leaseMs });
    const message = messageOf(key);
    const group = this.picked.get(message);
    if (group === undefined) this.picked.set(message, [recipient]);
    else group.push(recipient);
    return true;
  }

  #roomFor(domain: string): number {
    const { perDomain, active } = this.#request;
    return this.#room.get(domain) ?? perDomain - (active.get(domain) ?? 0);
  }
}

/** Makes the function that adds records and octets to what was picked. */
function messageOpener(
  { database, spoolFolder, handOver }: Workbench,
  { table, timeline }: { table: RecipientTable; timeline: TimelineWriter },
): (picked: ReadonlyMap<number, RecipientRow[]>, request: ClaimRequest) => Claimed[] {
  const selectMessage = database.prepare<MessageRow>(
    "SELECT record, json_valid(record), spool, shared FROM messages WHERE seq = ?",
  );
  const selectBody = database.prepare<[Uint8Array<ArrayBuffer> | null]>(
    "SELECT iif(length(data) <= ?2, data, NULL) FROM bodies WHERE message = ?1",
  );
  const selectHead = database.prepare<[Uint8Array<ArrayBuffer>]>(
    "SELECT data FROM heads WHERE message = ?",
  );
  /** The octets, when they are inline and few enough; undefined when they are lost. */
  const bodyOf = (
    message: number,
    { shared, limitBytes }: { shared: number | null; limitBytes: number },
  ): Uint8Array<ArrayBuffer> | null | undefined => {
    const body = selectBody.first(shared ?? message, limitBytes)?.[0];
    const head = shared === null || !body ? undefined : selectHead.first(message)?.[0];
    return head === undefined || !body ? body : concatBytes([head, body]);
  };

  /** Puts recipients that cannot be delivered for a damage of ours into an operator's hands. */
  const quarantine = (
    message: number,
    { recipients, reason, nowMs }: { recipients: RecipientRow[]; reason: string; nowMs: number },
  ): void => {
    const change = table.start({ sequence: message }, nowMs);
    if (change === null) return;
    const indexes = recipients.map(([key]) => positionOf(key));
    for (const index of indexes) {
      const from = table.read(message, index);
      if (from === null) continue;
      const to = { ...from, state: "held", owner: null, lastReply: reason } as const;
      table.write(change, { index, from, to });
    }
    table.finish(change);
    const detail = { reason };
    timeline(
      message,
      encodeEntry({ atMs: nowMs, kind: "quarantined", recipients: indexes, detail }),
    );
  };

  return (picked, { nowMs, bodyBudgetBytes }) => {
    const claimed: Claimed[] = [];
    let leftBytes = bodyBudgetBytes;
    for (const [message, recipients] of picked) {
      const [record, isValid, spool, shared] = selectMessage.first(message) ?? ["", 0, null, null];
      const body = spool === null ? bodyOf(message, { shared, limitBytes: leftBytes }) : null;
      const isMissing = spool === null
        ? body === undefined
        : !existsSync(`${spoolFolder}/${spool}`);
      if (isValid !== 1 || isMissing) {
        const reason = isValid === 1 ? MISSING_BODY_REPLY : DAMAGED_RECORD_REPLY;
        quarantine(message, { recipients, reason, nowMs });
        continue;
      }
      const bytes = body ?? null;
      if (bytes !== null) {
        leftBytes -= bytes.length;
        handOver.push(bytes.buffer);
      }
      claimed.push({ record, recipients, bytes });
    }
    return claimed;
  };
}
