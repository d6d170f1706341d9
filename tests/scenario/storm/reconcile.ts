/** Holds what the relay's store says against the books of senders and destinations. */
import { openSqliteStore } from "../../../src/queue/sqlite/store.ts";
import type { MessageDetail, QueueStore, RecipientState } from "../../../src/queue/store.ts";
import type { Books, OfferedMessage } from "./books.ts";

/** Counts of a storm; every one is of recipients where nothing else is said. */
export interface Totals {
  /** Messages of senders in the store. */
  messages: number;
  /** Messages that the relay wrote itself. */
  notifications: number;
  /** Those of senders' messages in each state. */
  readonly states: Record<RecipientState, number>;
  /** The same of notifications. */
  readonly ownStates: Record<RecipientState, number>;
  /** Outcomes after which the message may have arrived: the answer, or the relay, was lost. */
  uncertain: number;
  interrupted: number;
  /** Deliveries after the first of a recipient. */
  duplicates: number;
  /** Deliveries that the relay never heard of, duplicates among them. */
  unheard: number;
  /** Senders who did not hear the answer to their final dot, but whose message is in the store. */
  unansweredMessages: number;
}

/** What a look at the store came to. */
export interface Reconciliation {
  readonly totals: Totals;
  /** What does not fit, in words; empty when all of it does. */
  readonly mistakes: readonly string[];
}

const PAGE = 200;

/** Compares everything in the store of a relay that does not run. */
export async function reconcile(
  { folder, books }: { folder: string; books: Books },
): Promise<Reconciliation> {
  await using store = await openSqliteStore({ folder, mode: "tool" });
  const audit = new Audit(books);
  for await (const detail of everyMessage(store)) audit.look(detail);
  audit.finish();
  return audit;
}

async function* everyMessage(store: QueueStore): AsyncGenerator<MessageDetail> {
  let cursor: string | null = null;
  do {
    const request = { filter: {}, limit: PAGE };
    const page = await store.list(cursor === null ? request : { ...request, cursor });
    for (const { message } of page.items) {
      const detail = await store.get(message.id);
      if (detail !== null) yield detail;
    }
    cursor = page.cursor;
  } while (cursor !== null);
}

const NO_STATES: Readonly<Record<RecipientState, number>> = {
  ...{ queued: 0, held: 0, delivered: 0, failed: 0, expired: 0, cancelled: 0 },
};

type StoredRecipient = MessageDetail["recipients"][number];

class Audit implements Reconciliation {
  readonly totals: Totals = {
    ...{ messages: 0, notifications: 0, uncertain: 0, interrupted: 0 },
    ...{ duplicates: 0, unheard: 0, unansweredMessages: 0 },
    states: { ...NO_STATES },
    ownStates: { ...NO_STATES },
  };
  readonly mistakes: string[] = [];
  readonly #books: Books;
  readonly #seen = new Set<string>();

  constructor(books: Books) {
    this.#books = books;
  }

  look(detail: MessageDetail): void {
    const { message, recipients } = detail;
    if (message.origin.listener === "local") {
      this.totals.notifications++;
      for (const { state } of recipients) this.totals.ownStates[state]++;
      return;
    }
    const name = message.summary.subject;
    const offered = this.#books.offered.get(name);
    if (offered === undefined) return this.#wrong(`${name} is in the store and was never sent`);
    if (this.#seen.has(name)) this.#wrong(`${name} is in the store twice`);
    this.#seen.add(name);
    this.#checkAnswer(detail, offered);
    this.totals.messages++;
    for (const recipient of recipients) this.#checkRecipient(recipient, { detail, offered });
  }

  /** What senders were promised, and what nobody can know without the store. */
  finish(): void {
    this.mistakes.push(...this.#books.defects);
    for (const [name, { kind }] of this.#books.answers) {
      if (this.#seen.has(name)) continue;
      if (kind === "accepted") this.#wrong(`${name} was accepted and is not in the store`);
      for (const { address } of this.#books.offered.get(name)?.recipients ?? []) {
        const taken = this.#books.takenOf(address);
        if (taken > 0) this.#wrong(`${address} got ${name}, which is not in the store`);
      }
    }
  }

  #checkAnswer({ message, recipients }: MessageDetail, { name, recipients: to }: OfferedMessage) {
    const answer = this.#books.answers.get(name);
    if (answer?.kind === "refused") this.#wrong(`${name} was refused and is in the store`);
    if (answer?.kind === "unknown") this.totals.unansweredMessages++;
    if (answer?.kind === "accepted" && answer.id !== message.id) {
      this.#wrong(`${name} was accepted as ${answer.id} and is ${message.id}`);
    }
    const stored = recipients.map(({ forwardPath }) => forwardPath).join();
    const sent = to.map(({ address }) => address).join();
    if (stored !== sent) this.#wrong(`${name} is for ${stored}, and was sent to ${sent}`);
  }

  #checkRecipient(
    { forwardPath, state, index }: StoredRecipient,
    { detail, offered }: { detail: MessageDetail; offered: OfferedMessage },
  ): void {
    const { totals } = this;
    const { delivered, uncertain, interrupted } = outcomesOf(detail, index);
    const taken = this.#books.takenOf(forwardPath);
    totals.states[state]++;
    totals.uncertain += uncertain;
    totals.interrupted += interrupted;
    totals.duplicates += Math.max(0, taken - 1);
    totals.unheard += taken - delivered;
    const told = `${forwardPath}: ${state}, taken ${taken} times, ` +
      `${delivered} delivered, ${uncertain} uncertain, ${interrupted} interrupted`;
    if (delivered !== (state === "delivered" ? 1 : 0)) this.#wrong(told);
    // At least once; more often only where nobody could know whether it was taken.
    if (taken < delivered || taken - delivered > uncertain + interrupted) this.#wrong(told);
    this.#checkNotices({ forwardPath, state, index }, offered);
  }

  /** RFC 3461 5.2.2: one notification of each failure, unless nobody wants it. */
  #checkNotices(
    { forwardPath, state, index }: Pick<StoredRecipient, "forwardPath" | "state" | "index">,
    { from, recipients }: OfferedMessage,
  ): void {
    const failed = state === "failed" || state === "expired";
    const isTold = from !== "" && recipients[index]?.isSilent !== true;
    const notices = this.#books.noticesOf(forwardPath);
    const count = notices.filter(({ action }) => action === "failed").length;
    if (count !== (failed && isTold ? 1 : 0)) {
      this.#wrong(`${forwardPath}: ${state}, and ${count} notifications say that it failed`);
    }
    if (!isTold && notices.length > 0) this.#wrong(`${forwardPath}: somebody was told of it`);
  }

  #wrong(mistake: string): void {
    this.mistakes.push(mistake);
  }
}

interface OutcomeCounts {
  readonly delivered: number;
  readonly uncertain: number;
  readonly interrupted: number;
}

interface OutcomeDetail {
  readonly kind: string;
  readonly recipients: readonly number[];
}

/** What the timeline of a message says of one recipient. */
function outcomesOf({ timeline }: MessageDetail, index: number): OutcomeCounts {
  const counts = { delivered: 0, uncertain: 0, interrupted: 0 };
  for (const { kind, recipients, detail } of timeline) {
    if (kind === "interrupted" && (recipients.length === 0 || recipients.includes(index))) {
      counts.interrupted++;
    }
    if (kind !== "attempt") continue;
    for (const outcome of detail.outcomes as readonly OutcomeDetail[]) {
      if (!outcome.recipients.includes(index)) continue;
      if (outcome.kind === "delivered") counts.delivered++;
      if (outcome.kind === "uncertain") counts.uncertain++;
    }
  }
  return counts;
}
