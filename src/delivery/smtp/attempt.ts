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
  /** Whether the present server can take them; those that it can not are open for others. */
  readonly #setAside: boolean[];
  /** Who was too many for an earlier transaction. */
  readonly #wasTooMany: boolean[];
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
    this.#setAside = job.recipients.map(() => false);
    this.#wasTooMany = job.recipients.map(() => false);
  }

  /** Whether any recipient has its outcome. */
  get hasOutcomes(): boolean {
    return this.#outcomes.some((outcome) => outcome !== null);
  }

  /** Whether every recipient has its outcome, or the attempt is given up. */
  get isOver(): boolean {
    return this.signal.aborted || !this.#outcomes.includes(null);
  }

  /** Recipients without an outcome that the present server may be asked for, in order. */
  openRecipients(): readonly RecipientRecord[] {
    const { recipients } = this.job;
    if (this.#outcomes.every((outcome, index) => outcome === null && !this.#setAside[index])) {
      return recipients;
    }
    return recipients.filter((_, index) => this.#isOpen(index));
  }

  /** Begins with another server, which may be asked for everybody without an outcome. */
  begin(): void {
    this.#setAside.fill(false);
  }

  /** Leaves open recipients that the present server can not take to the next one. */
  setAside(recipients: readonly RecipientRecord[], outcome: Outcome): void {
    for (const index of this.#openIndexes()) {
      const recipient = this.job.recipients[index];
      if (recipient === undefined || !recipients.includes(recipient)) continue;
      this.#setAside[index] = true;
      this.#fallBackOn(index, outcome);
    }
  }

  /**
   * Takes what a transaction for the first of the open recipients came to; `notifies` as in `Fit`.
   * Returns whether nobody has to be asked of another server.
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
    let lost: Outcome | null = null;
    for (const [place, recipientResult] of result.recipients.entries()) {
      const index = open[place];
      if (index === undefined) throw new Error("Cannot record: there are more results than asked");
      const wasTooMany = this.#wasTooMany[index] === true;
      const { outcome, next } = judge(recipientResult, { hop, accepted, wasTooMany });
      this.#fallback[index] = outcome;
      if (next === null) this.#outcomes[index] = outcome;
      if (next === "here") this.#wasTooMany[index] = true;
      if (next === "elsewhere") lost = outcome;
      if (outcome.kind === "delivered") this.#allNotify &&= notifies;
      accepted ||= !(recipientResult.kind === "reply" && recipientResult.stage === "rcpt");
    }
    if (lost !== null) this.loseTooMany(lost);
    this.#losses = losses;
    if (result.begun) this.reached({ hop, tls: client.tls, proof });
    return lost === null;
  }

  /** Who was too many and whose turn never came ends as those do with whom the session was lost. */
  loseTooMany(lost: Outcome): void {
    for (const index of this.#openIndexes()) {
      if (this.#wasTooMany[index] === true) this.#fallback[index] = lost;
    }
  }

  /** Takes note of the peer that this attempt talked to last. */
  reached(peer: { hop: RemoteHop; tls: TlsInfo | null; proof: TlsProof | null }): void {
    this.#peer = peer;
  }

  /**
   * A host could not be used; another may be. That one of several hosts does not exist, or can not
   * carry the message, says nothing for good while another of them may come back, and a host that
   * does not answer says nothing of the destination while another does.
   */
  failHost(outcome: Outcome): void {
    for (const index of this.#openIndexes()) this.#fallBackOn(index, outcome);
  }

  /** Gives everybody without an outcome the same one. */
  settle(outcome: Outcome): void {
    for (const index of this.#outcomes.keys()) this.#outcomes[index] ??= outcome;
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

  #fallBackOn(index: number, outcome: Outcome): void {
    const earlier = this.#fallback[index] ?? null;
    const isForGood = outcome.kind === "permanent" || outcome.kind === "unsuitable";
    const last = !isForGood || earlier === null ? outcome : earlier;
    const isUnfit = [outcome, earlier].some(saysUnfit);
    const isDown = last.kind === "broken" && last.scope === "destination";
    this.#fallback[index] = isUnfit && isDown ? { ...last, scope: "message" } : last;
  }

  #openIndexes(): number[] {
    const indexes: number[] = [];
    for (const index of this.#outcomes.keys()) if (this.#isOpen(index)) indexes.push(index);
    return indexes;
  }

  #isOpen(index: number): boolean {
    return this.#outcomes[index] === null && !this.#setAside[index];
  }
}

/** Whether a host that answered cannot carry the message. */
function saysUnfit(outcome: Outcome | null): boolean {
  return outcome?.kind === "unsuitable" ||
    outcome?.kind === "broken" && outcome.scope === "message";
}
