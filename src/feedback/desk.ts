import type { Clock } from "../base/clock.ts";
import { cutText, withoutControls } from "../mail/safe_text.ts";
import type { EventSink, FeedbackKind, MessageEvent } from "../observe/events.ts";
import type { EventRecorder } from "../queue/outbox.ts";
import type { ShelfRecord } from "../queue/shelf.ts";
import type { MessageDetail, QueueStore } from "../queue/store.ts";
import { mailboxKey } from "../queue/mailbox.ts";
import type { SuppressionList } from "../queue/suppressions.ts";
import { resolution, resolutionEvents, resolvedBy } from "./resolved.ts";
import { countSoftBounce, forgetSoftBounces, type SoftBounceRule } from "./soft_bounces.ts";

/** What somebody tells of a recipient whose mail a next hop took. */
export interface Feedback {
  readonly kind: FeedbackKind;
  /** The mailbox that this relay sent to; empty where nobody says which one, of all it was. */
  readonly recipient: string;
  /** Queue id of the message; null where it is not known. */
  readonly messageId: string | null;
  /** Who tells: `bounce`, `complaint`, the name of a provider. */
  readonly source: string;
  /** In a few words, as `550 5.1.1 No such mailbox` or `abuse`. */
  readonly reason: string;
  /**
   * Set where anybody may have written it, who saw a header of the message: it is noted for some
   * days, and takes nobody off the mail.
   */
  readonly unproven?: true;
  /** Names it among all that its source tells, so that what is told twice is taken once. */
  readonly key?: string;
}

/** Which feedback takes a recipient off the mail, and for how long. */
export interface FeedbackRules {
  /** After mail came back permanently; null for ever. */
  readonly suppressBouncedMs: number | null;
  /** After a complaint, or the wish to get no more; null for ever. */
  readonly suppressComplainedMs: number | null;
  /** After too many soft bounces; null for ever. */
  readonly suppressSoftMs: number | null;
  readonly soft: SoftBounceRule;
}

/** What the desk needs and whom it tells. */
export interface FeedbackDeskOptions {
  readonly store: QueueStore;
  readonly suppressions: SuppressionList;
  readonly clock: Clock;
  readonly emit: EventSink;
  /** Makes what the outbox keeps of events; null where no events are kept. */
  readonly record: EventRecorder;
  /** The rules in force. */
  readonly rules: () => FeedbackRules;
}

/** `known`: it was taken before. */
export type FeedbackResult =
  | { readonly kind: "taken"; readonly suppressed: boolean }
  | { readonly kind: "known" };

const SEEN = "feedback_seen";
/** Longer than any provider repeats itself. */
const REMEMBERED_MS = 30 * 86_400_000;
const REASON_LIMIT_CHARS = 300;
/** How long it is shown what nobody proved. */
const UNPROVEN_MS = 7 * 86_400_000;
const SUPPRESSING: ReadonlySet<FeedbackKind> = new Set(["bounced", "complained", "unsubscribed"]);

/**
 * Where everything ends that others tell of mail after it left, whatever way it came: the
 * suppression list, the timeline of the message, the log and the webhooks.
 */
export class FeedbackDesk {
  readonly #options: FeedbackDeskOptions;
  /**
   * The last that is being taken for each mailbox: one at a time, as counting must not overlap.
   * Those of others need not wait, as a provider may tell of thousands at once.
   */
  readonly #last = new Map<string, Promise<void>>();

  constructor(options: FeedbackDeskOptions) {
    this.#options = options;
  }

  /**
   * Takes one. When it resolves, what follows from it is on disk.
   *
   * @throws StoreError as the store does; what was not done then is done by the next call with the
   * same feedback.
   */
  take(feedback: Feedback): Promise<FeedbackResult> {
    const key = mailboxKey(feedback.recipient);
    const taken = (this.#last.get(key) ?? Promise.resolve()).then(() => this.#take(feedback));
    const forget = (): void => {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    };
    const ended: Promise<void> = taken.then(forget, forget);
    this.#last.set(key, ended);
    return taken;
  }

  /**
   * Puts a recipient on the list whom a next hop refused permanently, as if the mail had come back.
   * The delivery tells of the failure itself. Returns whether that was news.
   *
   * @throws StoreError as the store does.
   */
  async suppress(
    { recipient, reason, source }: Pick<Feedback, "recipient" | "source" | "reason">,
  ): Promise<boolean> {
    const { rules, clock } = this.#options;
    const facts = { recipient, source, reason: shortened(reason) };
    return await this.#add(facts, { forMs: rules().suppressBouncedMs, nowMs: clock.now() });
  }

  async #take(given: Feedback): Promise<FeedbackResult> {
    const { store: { shelf }, clock } = this.#options;
    const feedback = { ...given, reason: shortened(given.reason) };
    const { key, source } = feedback;
    const nowMs = clock.now();
    const once = key === undefined ? null : seenRecord(`${source} ${key}`, nowMs);
    if (once !== null && await shelf.get(SEEN, once.key) !== null) return { kind: "known" };
    const suppressed = await this.#suppress(feedback, nowMs);
    await this.#tell(feedback, { suppressed, nowMs, once });
    return { kind: "taken", suppressed };
  }

  async #suppress(feedback: Feedback, nowMs: number): Promise<boolean> {
    if (feedback.recipient === "") return false;
    if (feedback.unproven === true) return await this.#note(feedback, nowMs);
    const { suppressBouncedMs, suppressComplainedMs } = this.#options.rules();
    switch (feedback.kind) {
      case "bounced":
        await this.#add(feedback, { forMs: suppressBouncedMs, nowMs });
        return true;
      case "complained":
      case "unsubscribed":
        await this.#add(feedback, { forMs: suppressComplainedMs, nowMs });
        return true;
      case "soft_bounced":
        return await this.#count(feedback, nowMs);
      default:
        return false;
    }
  }

  /** What nobody proved is noted where it would suppress, and counts for nothing. */
  async #note(feedback: Feedback, nowMs: number): Promise<false> {
    const { kind, recipient: address, source, reason } = feedback;
    if (SUPPRESSING.has(kind)) {
      const expiresAtMs = nowMs + UNPROVEN_MS;
      await this.#options.suppressions.note({ address, source, reason, expiresAtMs });
    }
    return false;
  }

  async #count(feedback: Feedback, nowMs: number): Promise<boolean> {
    const { store: { shelf }, rules } = this.#options;
    const { soft: rule, suppressSoftMs: forMs } = rules();
    if (rule.limit === 0) return false;
    const { recipient: mailbox, reason } = feedback;
    const count = await countSoftBounce(shelf, { mailbox, atMs: nowMs, rule });
    if (count < rule.limit) return false;
    const why = { ...feedback, reason: `${count} soft bounces, the last: ${reason}` };
    await this.#add(why, { forMs, nowMs });
    await forgetSoftBounces(shelf, mailbox);
    return true;
  }

  /** Adds to the list; false when the recipient is on it for at least as long. */
  async #add(
    { recipient: address, source, reason }: Pick<Feedback, "recipient" | "source" | "reason">,
    { forMs, nowMs }: { forMs: number | null; nowMs: number },
  ): Promise<boolean> {
    const { suppressions } = this.#options;
    const expiresAtMs = forMs === null ? null : nowMs + forMs;
    const known = await suppressions.find(address);
    const isLonger = known !== null &&
      (known.expiresAtMs === null || (expiresAtMs !== null && known.expiresAtMs >= expiresAtMs));
    if (!isLonger) await suppressions.add({ address, reason, source, expiresAtMs });
    return !isLonger;
  }

  /** Writes it into the timeline, with what webhooks are told in the same transaction. */
  async #tell(
    { kind, recipient, messageId, source, reason, unproven }: Feedback,
    { suppressed, nowMs, once }: { suppressed: boolean; nowMs: number; once: ShelfRecord | null },
  ): Promise<void> {
    const { store, emit, record } = this.#options;
    const detail = messageId === null ? null : await store.get(messageId);
    const message = detail?.message ?? null;
    const indexes = detail === null ? [] : indexesOf(detail, recipient);
    const resolved = detail === null ? [] : resolvedBy(kind, { detail, indexes });
    const told: MessageEvent[] = [
      {
        ...{ type: "feedback", messageId: messageId ?? "", recipient, kind, source, reason },
        ...(suppressed ? { suppressed: true } : {}),
        ...(unproven === true ? { unproven } : {}),
      },
      ...message === null ? [] : resolutionEvents(resolved, { source, message, nowMs }),
    ];
    const events = told.map((event) => record(event, { message, atMs: nowMs }))
      .filter((made) => made !== null);
    if (message === null) {
      await store.outbox.append(events);
      if (once !== null) await store.shelf.put(SEEN, once);
    } else {
      await store.settle({
        ...{ messageId: message.id, owner: "", notifications: [], events },
        recipients: resolution(resolved, { source }),
        ...(once === null ? {} : { once }),
        timeline: [{
          ...{ atMs: nowMs, kind, recipients: indexes },
          detail: {
            ...(recipient === "" ? {} : { recipient }),
            ...{ source, reason, ...(suppressed ? { suppressed } : {}) },
            ...(unproven === true ? { unproven } : {}),
          },
        }],
      });
    }
    for (const event of told) emit(event);
  }
}

function shortened(reason: string): string {
  return cutText(withoutControls(reason), REASON_LIMIT_CHARS);
}

function seenRecord(key: string, nowMs: number): ShelfRecord {
  return { space: SEEN, key, value: "", expiresAtMs: nowMs + REMEMBERED_MS };
}

function indexesOf({ recipients }: MessageDetail, mailbox: string): number[] {
  const key = mailboxKey(mailbox);
  return recipients.filter(({ forwardPath }) => mailboxKey(forwardPath) === key)
    .map(({ index }) => index);
}
