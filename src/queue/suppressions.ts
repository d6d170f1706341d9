import type { Clock } from "../base/clock.ts";
import { mailboxKey } from "./mailbox.ts";
import type { Shelf, ShelfEntry } from "./shelf.ts";

/** A recipient that gets no mail. */
export interface SuppressedAddress {
  /** The mailbox, its domain and the ASCII letters of its local part in lower case. */
  readonly address: string;
  /** Why, in a few words. */
  readonly reason: string;
  /** Who says so: `user ada`, the name of a provider … */
  readonly source: string;
  readonly addedAtMs: number;
  /** Null for ever. */
  readonly expiresAtMs: number | null;
  /**
   * Set where anybody may have said so: it is shown, and the mailbox gets its mail. An operator
   * decides what to make of it.
   */
  readonly unproven?: true;
}

const SPACE = "suppressed";
/** Where the version of the list is: another one after each change, whoever makes it. */
const VERSION = { space: "suppressed list", key: "version" } as const;
const PAGE = 1_000;

/**
 * Recipients that get no mail, kept in the store. Every recipient of every message is looked for
 * here, so a 32-bit hash of each address stands in memory (about 30 octets): what is not among
 * them is not suppressed, and only what is has to be asked of the store.
 */
export class SuppressionList {
  readonly #shelf: Shelf;
  readonly #clock: Clock;
  readonly #hashes = new Set<number>();
  /** The version that the hashes have all of; null when they may lack something. */
  #version: string | null = null;

  constructor({ shelf, clock }: { shelf: Shelf; clock: Clock }) {
    this.#shelf = shelf;
    this.#clock = clock;
  }

  /**
   * Reads what is in the store.
   *
   * @throws StoreError as the store does.
   */
  async load(): Promise<void> {
    // An address is written before its version, so what comes later has another one.
    const version = await this.#storedVersion();
    await this.#readAll();
    this.#version = version;
  }

  /**
   * Reads what is in the store if it was changed since.
   *
   * @throws StoreError as the store does.
   */
  async refresh(): Promise<void> {
    if (this.#version === null || await this.#storedVersion() !== this.#version) await this.load();
  }

  async #storedVersion(): Promise<string> {
    return (await this.#shelf.get(VERSION.space, VERSION.key))?.value ?? "";
  }

  /** Tells others that share the store that it was changed. */
  async #announce(): Promise<void> {
    this.#version = null;
    const value = crypto.randomUUID();
    await this.#shelf.put(VERSION.space, { key: VERSION.key, value, expiresAtMs: null });
  }

  async #readAll(): Promise<void> {
    let after: string | undefined;
    for (;;) {
      const range = after === undefined ? {} : { after };
      const entries = await this.#shelf.list({ space: SPACE, limit: PAGE, ...range });
      for (const { key } of entries) this.#hashes.add(hashOf(key));
      after = entries.at(-1)?.key;
      if (entries.length < PAGE) return;
    }
  }

  /** False when a mailbox is not suppressed; true when `find` has to be asked. */
  mayHave(mailbox: string): boolean {
    return this.#hashes.size > 0 && this.#hashes.has(hashOf(mailboxKey(mailbox)));
  }

  /** Null when it is not suppressed. */
  async find(mailbox: string): Promise<SuppressedAddress | null> {
    const found = await this.#entry(mailbox);
    return found?.unproven === true ? null : found;
  }

  async #entry(mailbox: string): Promise<SuppressedAddress | null> {
    const entry = await this.#shelf.get(SPACE, mailboxKey(mailbox));
    return entry === null ? null : addressOf(entry);
  }

  /**
   * Notes what somebody said of a mailbox without proof, where nothing is known of it. The mailbox
   * gets its mail as before.
   */
  async note(
    { address, reason, source, expiresAtMs }: Omit<SuppressedAddress, "addedAtMs" | "unproven">,
  ): Promise<void> {
    const known = await this.#entry(address);
    if (known !== null && known.unproven !== true) return;
    const addedAtMs = this.#clock.now();
    const value = JSON.stringify({ reason, source, addedAtMs, unproven: true });
    await this.#shelf.put(SPACE, { key: mailboxKey(address), value, expiresAtMs });
  }

  /** Adds a mailbox, or replaces what is said of it. */
  async add(
    { address, reason, source, expiresAtMs }: Omit<SuppressedAddress, "addedAtMs" | "unproven">,
  ): Promise<void> {
    const key = mailboxKey(address);
    const value = JSON.stringify({ reason, source, addedAtMs: this.#clock.now() });
    await this.#shelf.put(SPACE, { key, value, expiresAtMs });
    this.#hashes.add(hashOf(key));
    await this.#announce();
  }

  /** False when it was not suppressed. */
  remove(address: string): Promise<boolean> {
    return this.#shelf.delete(SPACE, mailboxKey(address));
  }

  /** In order of the addresses; `cursor` of one page gets the next. */
  async list(
    { text, limit, cursor }: { text?: string; limit: number; cursor?: string },
  ): Promise<{ items: readonly SuppressedAddress[]; cursor: string | null }> {
    const entries = await this.#shelf.list({
      ...{ space: SPACE, limit: limit + 1 },
      ...(text === undefined ? {} : { text }),
      ...(cursor === undefined ? {} : { after: decodeURIComponent(cursor) }),
    });
    const items = entries.slice(0, limit).map(addressOf);
    const last = items.at(-1);
    const isMore = last !== undefined && entries.length > limit;
    return { items, cursor: isMore ? encodeURIComponent(last.address) : null };
  }
}

/** A damaged entry still suppresses. */
function addressOf({ key, value, expiresAtMs }: ShelfEntry): SuppressedAddress {
  const nothing = { reason: "", source: "", addedAtMs: 0 };
  try {
    return { address: key, expiresAtMs, ...nothing, ...JSON.parse(value) };
  } catch {
    return { address: key, expiresAtMs, ...nothing };
  }
}

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
