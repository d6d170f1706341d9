import type { NewMessage } from "../../src/queue/store.ts";

/** A rule that an operator relies on was broken. */
export interface Violation {
  /** Which one, as in `invariants.ts`. */
  readonly rule: string;
  /** What happened, with the names of message and recipient. */
  readonly detail: string;
}

/** What the next hop did with one recipient of one attempt. */
export interface Take {
  readonly life: number;
  readonly transport: string;
  /** Whether the relay was told of it: `open` until the attempt ends. */
  told: "open" | "delivered" | "unsure";
}

/** What is known of one recipient outside of the relay. */
export interface Account {
  readonly messageId: string;
  readonly mailbox: string;
  readonly takes: Take[];
  /** The transport of the last attempt. */
  openBy: string;
  /** Attempts under way, by the life of the relay that makes them. */
  openIn: number | null;
  attempts: number;
  /** When the last attempt ended. */
  endedAtMs: number;
  refused: boolean;
  /** Whether the transport of the attempt under way cannot carry the message. */
  isMisfit: boolean;
  /** Whether the server had enough recipients before it, in the attempt under way. */
  wasTooMany: boolean;
  unsure: boolean;
}

/** A notification as it was committed. */
export interface Notice {
  readonly id: string;
  readonly to: string;
  readonly action: string;
  readonly mailbox: string;
}

/**
 * What the world outside of the relay knows: what next hops took and refused, what clients were
 * told, what was committed. It is kept beside the relay and believed before it.
 */
export class Ledger {
  readonly #accounts = new Map<string, Account>();
  /** Messages for which a client got its 250, with their recipients. */
  readonly accepted = new Map<string, readonly string[]>();
  /** Messages that an operator cancelled or returned recipients of. */
  readonly commanded = new Set<string>();
  readonly suppressed = new Set<string>();
  /** Messages that an operator cancelled, if the store says so, too. */
  readonly cancelled = new Set<string>();
  /** Messages that an operator held, and did nothing else with since. */
  readonly held = new Set<string>();
  /** By mailbox, those with an attempt under way. */
  readonly #open = new Map<string, Set<Account>>();
  readonly #notices = new Map<string, Notice[]>();
  readonly #idsByNumber = new Map<number, string[]>();
  readonly #numbersById = new Map<string, number>();
  readonly #reroutedAtMs = new Map<string | null, number>();
  readonly #now: () => number;

  /** `now` is the time since the beginning of the world. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** An operator reroutes messages, or all of them. */
  rerouted(ids: readonly (string | null)[]): void {
    for (const id of ids) this.#reroutedAtMs.set(id, this.#now());
  }

  /** When a message was rerouted last; 0 for never. */
  reroutedAtMs(id: string): number {
    return Math.max(this.#reroutedAtMs.get(id) ?? 0, this.#reroutedAtMs.get(null) ?? 0);
  }

  account(messageId: string, mailbox: string): Account {
    const key = keyOf(messageId, mailbox);
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = {
        ...{ messageId, mailbox, takes: [], openIn: null, attempts: 0, openBy: "" },
        endedAtMs: 0,
        ...{ refused: false, unsure: false, wasTooMany: false, isMisfit: false },
      };
      this.#accounts.set(key, account);
    }
    return account;
  }

  get accounts(): Iterable<Account> {
    return this.#accounts.values();
  }

  /** An attempt for a recipient begins in a life of the relay. */
  begin(account: Account, life: number): void {
    account.attempts++;
    account.openIn = life;
    const open = this.#open.get(account.mailbox);
    if (open === undefined) this.#open.set(account.mailbox, new Set([account]));
    else open.add(account);
  }

  /** It ends, or is broken off. */
  end(account: Account): void {
    account.openIn = null;
    account.endedAtMs = this.#now();
    account.isMisfit = false;
    const open = this.#open.get(account.mailbox);
    open?.delete(account);
    if (open?.size === 0) this.#open.delete(account.mailbox);
  }

  /** Accounts of a mailbox with an attempt under way. */
  openFor(mailbox: string): readonly Account[] {
    return [...this.#open.get(mailbox) ?? []];
  }

  /** A settlement or a put with a notification is on disk. */
  noticed(about: string, { id, recipients, place }: NewMessage): void {
    if (place.kind !== "inline" || this.noticesOf(about).some((known) => known.id === id)) return;
    const text = new TextDecoder().decode(place.bytes);
    const to = recipients[0]?.forwardPath ?? "";
    for (const [, mailbox = "", rest = ""] of text.matchAll(STATUS)) {
      const action = /^Action: (\S+)/m.exec(rest)?.[1] ?? "";
      const notice = { id, to, action, mailbox };
      const known = this.#notices.get(about);
      if (known === undefined) this.#notices.set(about, [notice]);
      else known.push(notice);
    }
  }

  /** The notifications about a message. */
  noticesOf(messageId: string): readonly Notice[] {
    return this.#notices.get(messageId) ?? [];
  }

  /** A client got its 250. */
  accept(
    id: string,
    { number, mailboxes }: { number: number; mailboxes: readonly string[] },
  ): void {
    this.accepted.set(id, mailboxes);
    this.#idsByNumber.set(number, [...this.idsOf(number), id]);
    this.#numbersById.set(id, number);
  }

  /** The number that a message has in the plan; undefined for what the relay made itself. */
  numberOf(id: string): number | undefined {
    return this.#numbersById.get(id);
  }

  /** The queue ids of a message by its number in the plan. */
  idsOf(number: number): readonly string[] {
    return this.#idsByNumber.get(number) ?? [];
  }
}

const STATUS = /^Final-Recipient: rfc822; ?(\S+)\r\n((?:\S[^\r\n]*\r\n)*)/gm;

export function keyOf(messageId: string, mailbox: string): string {
  return `${messageId} ${mailbox}`;
}
