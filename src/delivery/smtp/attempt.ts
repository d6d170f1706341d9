import type { RecipientRecord } from "../../queue/store.ts";
import type { TransactionResult } from "../../smtp/client/transaction.ts";
import type {
  DeliverOptions,
  DeliveryJob,
  DeliveryReport,
  Loss,
  Outcome,
  RemoteHop,
} from "../transport.ts";
import type { TlsInfo } from "../../net/conn.ts";
import { Transcript } from "../../smtp/client/transcript.ts";
import { GIVEN_UP, judge } from "./outcome.ts";
import type { TlsProof } from "../tls/policy.ts";
import type { Session } from "./pool.ts";

/** What one attempt has come to so far, over all the hosts it asks. */
export class Attempt {
  readonly job: DeliveryJob;
  readonly signal: AbortSignal;
  /** Nothing of the message may be lost on its way. */
  readonly rawOnly: boolean;
  /** Whether the connection may wait for the next message. */
  readonly keepsConnection: () => boolean;
  /** What was said to all the hosts. */
  readonly transcript = new Transcript();
  readonly #outcomes: (Outcome | null)[];
  /** What open recipients end with when no other host is asked. */
  readonly #fallback: (Outcome | null)[];
  #peer: { hop: RemoteHop; tls: TlsInfo | null; proof: TlsProof | null } | null = null;
  /** Whether every host that took the message for someone also took over the notifications. */
  #allNotify = true;
  /** What the message lost on its way to the last host. */
  #losses: readonly Loss[] = [];

  constructor(job: DeliveryJob, options: DeliverOptions) {
    this.job = job;
    this.signal = options.signal;
    this.rawOnly = options.rawOnly ?? false;
    this.keepsConnection = options.keepsConnection ?? (() => true);
    this.#outcomes = job.recipients.map(() => null);
    this.#fallback = job.recipients.map(() => null);
  }

  /** Whether every recipient has its outcome, or the attempt is given up. */
  get isOver(): boolean {
    return this.signal.aborted || !this.#outcomes.includes(null);
  }

  /** Recipients without an outcome, in order. */
  openRecipients(): readonly RecipientRecord[] {
    const { recipients } = this.job;
    if (!this.#outcomes.some((outcome) => outcome !== null)) return recipients;
    return recipients.filter((_, index) => this.#outcomes[index] === null);
  }

  /**
   * Takes what a transaction for the first of the open recipients came to; `notifies` as in `Fit`.
   * Returns whether all of them have their outcome now.
   */
  record(
    result: TransactionResult,
    { session: { hop, client, proof }, notifies, losses }: {
      session: Session;
      notifies: boolean;
      losses: readonly Loss[];
    },
  ): boolean {
    const open = this.#openIndexes();
    let accepted = false;
    let isSettled = true;
    for (const [place, recipientResult] of result.recipients.entries()) {
      const index = open[place];
      if (index === undefined) throw new Error("Cannot record: there are more results than asked");
      const { outcome, elsewhere } = judge(recipientResult, { hop, accepted });
      this.#fallback[index] = outcome;
      if (elsewhere) isSettled = false;
      else this.#outcomes[index] = outcome;
      if (outcome.kind === "delivered") this.#allNotify &&= notifies;
      accepted ||= !(recipientResult.kind === "reply" && recipientResult.stage === "rcpt");
    }
    this.#losses = losses;
    if (result.begun) this.reached({ hop, tls: client.tls, proof });
    return isSettled;
  }

  /** Takes note of the peer that this attempt talked to last. */
  reached(peer: { hop: RemoteHop; tls: TlsInfo | null; proof: TlsProof | null }): void {
    this.#peer = peer;
  }

  /**
   * A host could not be used; another may be. That one of several hosts does not exist, or can not
   * carry the message, says nothing for good while another of them may come back.
   */
  failHost(outcome: Outcome): void {
    for (const index of this.#openIndexes()) {
      const earlier = this.#fallback[index] ?? null;
      const isForGood = outcome.kind === "permanent" || outcome.kind === "unsuitable";
      if (isForGood && earlier !== null) continue;
      this.#fallback[index] = outcome;
    }
  }

  /** Gives all open recipients the same outcome. */
  settle(outcome: Outcome): void {
    for (const index of this.#openIndexes()) this.#outcomes[index] = outcome;
  }

  /** The report when nobody else is asked; `otherwise` for recipients nothing is known of. */
  report(otherwise: Outcome): DeliveryReport {
    if (this.signal.aborted) this.settle(GIVEN_UP);
    const outcomes = this.#outcomes.map((outcome, index) =>
      outcome ?? this.#fallback[index] ?? otherwise
    );
    const { hop: remote = null, tls = null, proof = null } = this.#peer ?? {};
    return {
      outcomes,
      remote,
      tls,
      dialogue: this.transcript,
      ...(proof === null ? {} : { proof }),
      ...(this.#allNotify ? { handover: "dsn" } : {}),
      ...(this.#losses.length === 0 ? {} : { losses: this.#losses }),
    };
  }

  #openIndexes(): number[] {
    const indexes: number[] = [];
    for (const [index, outcome] of this.#outcomes.entries()) {
      if (outcome === null) indexes.push(index);
    }
    return indexes;
  }
}
