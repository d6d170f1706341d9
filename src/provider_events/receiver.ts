import type { Clock } from "../base/clock.ts";
import { parseMailbox } from "../mail/address.ts";
import type { FeedbackDesk } from "../feedback/desk.ts";
import { findRemote } from "../queue/remote_ids.ts";
import type { MessageDetail, QueueStore } from "../queue/store.ts";
import { sha256Hex } from "./proof.ts";
import type { EventSource, ProviderReport, Reading } from "./source.ts";

/** What takes reports to the desk. */
export interface ReceiverOptions {
  readonly store: QueueStore;
  readonly desk: Pick<FeedbackDesk, "take">;
  readonly clock: Clock;
}

/** What a request came to. */
export type Reception =
  /** All that it tells is on disk. */
  | { readonly kind: "taken"; readonly reports: number }
  | Exclude<Reading, { readonly kind: "reports" }>;

/** How many mailboxes are named where the provider does not say which of them it is. */
const MOST_NAMED = 5;
/** No id of a provider is longer. */
const LONGEST_KEY_CHARS = 200;

/** Finds out which message each report of a provider is about, and hands it to the desk. */
export class Receiver {
  readonly #options: ReceiverOptions;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /**
   * Reads a request and takes what it tells. When it resolves, all of that is on disk.
   *
   * @throws StoreError as the store does. The provider then tells all of it again, and what was
   * taken is not taken twice.
   */
  async receive(
    source: EventSource,
    { headers, body }: { headers: Headers; body: Uint8Array<ArrayBuffer> },
  ): Promise<Reception> {
    const nowMs = this.#options.clock.now();
    const reading = await source.read({ headers, body, nowMs });
    if (reading.kind !== "reports") return reading;
    const { reports } = reading;
    await Promise.all(reports.map((report) => this.#take(report, source.name)));
    return { kind: "taken", reports: reports.length };
  }

  async #take(report: ProviderReport, source: string): Promise<void> {
    const { kind } = report;
    const key = report.key.length > LONGEST_KEY_CHARS ? sha256Hex(report.key) : report.key;
    const found = await this.#find(report);
    const { recipient, reason } = concerned(report, found);
    const messageId = found.detail?.message.id ?? null;
    await this.#options.desk.take({ kind, key, source, messageId, recipient, reason });
  }

  /** The message, by its own id if the provider says it, else by what the provider calls it. */
  async #find({ queueId, remoteId }: ProviderReport): Promise<Found> {
    const { store } = this.#options;
    const remote = remoteId === null ? null : await findRemote(store.shelf, remoteId);
    const named = queueId === null ? null : await store.get(queueId);
    if (named !== null) {
      const isSame = remote !== null && remote.messageId === queueId;
      return { detail: named, sent: isSame ? remote.recipients : null };
    }
    const detail = remote === null ? null : await store.get(remote.messageId);
    return { detail, sent: remote?.recipients ?? null };
  }
}

/** What is known of the message that a provider tells of. */
interface Found {
  /** Null where it is not known, or not there any more. */
  readonly detail: MessageDetail | null;
  /** Indexes of those that the provider got it for; null where that is not known. */
  readonly sent: readonly number[] | null;
}

/**
 * Whom a report is about, and what it says. Where the provider names no mailbox, it can still be
 * only one if the provider got the message for one alone; else the recipient is empty, and the
 * reason says who they are.
 */
function concerned(
  { recipient, candidates = [], reason }: ProviderReport,
  { detail, sent }: Found,
): { recipient: string; reason: string } {
  if (recipient !== null && parseMailbox(recipient).kind === "ok") return { recipient, reason };
  const known = detail?.recipients.filter(({ index }) => sent === null || sent.includes(index))
    .map(({ forwardPath }) => forwardPath) ?? candidates;
  const count = sent?.length ?? known.length;
  const [only] = known;
  if (count === 1 && known.length === 1 && only !== undefined) return { recipient: only, reason };
  return { recipient: "", reason: known.length === 0 ? reason : oneOf(known, reason) };
}

function oneOf(mailboxes: readonly string[], reason: string): string {
  const named = mailboxes.slice(0, MOST_NAMED).join(", ");
  const more = mailboxes.length > MOST_NAMED ? ", …" : "";
  return `one of ${named}${more}${reason === "" ? "" : `: ${reason}`}`;
}
