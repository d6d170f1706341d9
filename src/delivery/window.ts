import type { ClaimedMessage, MessageRecord, RecipientRecord } from "../queue/store.ts";

/** How much of the queue may be in memory. */
export interface WindowLimits {
  /** Recipients claimed by this node at once. */
  readonly recipients: number;
  /** Recipients of one domain among them. */
  readonly perDomain: number;
  /** Octets of message bodies kept with them. */
  readonly bodyBytes: number;
}

/** A message in the window. */
export interface WindowEntry {
  readonly message: MessageRecord;
  readonly bytes: Uint8Array | null;
  /** All that it came with, settled or not. */
  readonly recipients: readonly RecipientRecord[];
  /** Recipients of this entry that are not settled yet. */
  unsettled: number;
}

/** The part of the window kept free of fresh mail, so that a backlog always moves. */
const RESERVED_FOR_BACKLOG = 0.25;

/**
 * The bounded part of the queue that this node is working on: counts of claimed recipients, in
 * all and by domain, and of octets. Everything outside it is only in the store.
 */
export class ActiveWindow {
  readonly #limits: WindowLimits;
  readonly #entries = new Map<WindowEntry, true>();
  /** The entries of each message; more than one where its recipients came by several claims. */
  readonly #byMessage = new Map<string, WindowEntry[]>();
  readonly #byDomain = new Map<string, number>();
  #recipients = 0;
  #bodyBytes = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** Recipients of each domain in the window. */
  get byDomain(): ReadonlyMap<string, number> {
    return this.#byDomain;
  }

  /** Recipients in the window, reserved places included. */
  get recipients(): number {
    return this.#recipients;
  }

  get entries(): IterableIterator<WindowEntry> {
    return this.#entries.keys();
  }

  /** Recipients that a claim may still add. */
  get free(): number {
    return Math.max(0, this.#limits.recipients - this.#recipients);
  }

  get freeBodyBytes(): number {
    return Math.max(0, this.#limits.bodyBytes - this.#bodyBytes);
  }

  /** Whether enough has drained for a claim to be worth its cost. */
  get wantsMore(): boolean {
    return this.#recipients <= this.#limits.recipients * (1 - RESERVED_FOR_BACKLOG);
  }

  /**
   * Takes places for a fresh message before it is stored. Returns false, and takes nothing, when
   * there is no room; the message then waits in the store like any other.
   */
  reserve(recipients: readonly { readonly domain: string }[], bodyBytes: number): boolean {
    const limit = this.#limits.recipients * (1 - RESERVED_FOR_BACKLOG);
    if (this.#recipients + recipients.length > limit) return false;
    if (this.#bodyBytes + bodyBytes > this.#limits.bodyBytes) return false;
    for (const { domain } of recipients) {
      if ((this.#byDomain.get(domain) ?? 0) >= this.#limits.perDomain) return false;
    }
    this.#add(recipients, bodyBytes);
    return true;
  }

  /** Gives back what `reserve` took, when the message could not be stored. */
  unreserve(recipients: readonly { readonly domain: string }[], bodyBytes: number): void {
    for (const { domain } of recipients) this.#removeRecipient(domain);
    this.#bodyBytes -= bodyBytes;
  }

  /** Adds a message whose places were reserved. */
  enterReserved({ message, recipients, bytes }: ClaimedMessage): WindowEntry {
    const unsettled = recipients.length;
    const entry: WindowEntry = { message, bytes: bytes ?? null, recipients, unsettled };
    this.#entries.set(entry, true);
    const others = this.#byMessage.get(message.id);
    if (others === undefined) this.#byMessage.set(message.id, [entry]);
    else others.push(entry);
    return entry;
  }

  /** Whether some of the recipients may be in the window; true also for those settled lately. */
  mayHold({ message, recipients }: ClaimedMessage): boolean {
    const entries = this.#byMessage.get(message.id);
    if (entries === undefined) return false;
    const known = new Set(
      entries.flatMap((entry) => entry.recipients.map(({ index }) => index)),
    );
    return recipients.some(({ index }) => known.has(index));
  }

  /** Adds a message that a claim brought. */
  enter(claimed: ClaimedMessage): WindowEntry {
    this.#add(claimed.recipients, claimed.bytes?.length ?? 0);
    return this.enterReserved(claimed);
  }

  /** Removes recipients of `entry`, and the entry with the last of them. */
  leave(entry: WindowEntry, recipients: readonly RecipientRecord[]): void {
    for (const { domain } of recipients) this.#removeRecipient(domain);
    entry.unsettled -= recipients.length;
    if (entry.unsettled > 0) return;
    this.#entries.delete(entry);
    this.#forget(entry);
    this.#bodyBytes -= entry.bytes?.length ?? 0;
  }

  #add(recipients: readonly { readonly domain: string }[], bodyBytes: number): void {
    for (const { domain } of recipients) {
      this.#byDomain.set(domain, (this.#byDomain.get(domain) ?? 0) + 1);
    }
    this.#recipients += recipients.length;
    this.#bodyBytes += bodyBytes;
  }

  #forget(entry: WindowEntry): void {
    const { id } = entry.message;
    const others = (this.#byMessage.get(id) ?? []).filter((one) => one !== entry);
    if (others.length > 0) this.#byMessage.set(id, others);
    else this.#byMessage.delete(id);
  }

  #removeRecipient(domain: string): void {
    this.#recipients--;
    const left = (this.#byDomain.get(domain) ?? 0) - 1;
    if (left > 0) this.#byDomain.set(domain, left);
    else this.#byDomain.delete(domain);
  }
}
