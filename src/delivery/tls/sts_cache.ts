import type { Clock } from "../../base/clock.ts";
import { TaskGroup } from "../../base/task_group.ts";
import type { Shelf, ShelfEntry } from "../../queue/shelf.ts";
import type { StsPolicy } from "./sts_policy.ts";

/** A policy that was fetched. */
export interface KeptPolicy {
  readonly policy: StsPolicy;
  /** That of the TXT record when it was fetched. */
  readonly id: string;
  readonly fetchedAtMs: number;
}

/** What of a store keeps policies. */
export type PolicyShelf = Pick<Shelf, "list" | "put">;

const SPACE = "mta-sts";
const PAGE = 1_000;
const MAX_ENTRIES = 10_000;

/**
 * Policies by domain for as long as they hold, in memory and in the store: a domain's word counts
 * even while somebody keeps it from being heard again (RFC 8461 section 3.3), restarts included.
 */
export class StsCache implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #shelf: PolicyShelf | null;
  readonly #tasks: TaskGroup;
  readonly #loaded: Promise<void>;
  readonly #entries = new Map<string, KeptPolicy>();

  /** Without a shelf nothing outlives the process. */
  constructor(
    { clock, shelf, onError }: {
      clock: Clock;
      shelf: PolicyShelf | null;
      onError: (error: unknown) => void;
    },
  ) {
    this.#clock = clock;
    this.#shelf = shelf;
    this.#tasks = new TaskGroup(onError);
    this.#loaded = shelf === null ? Promise.resolve() : this.#load(shelf).catch(onError);
  }

  /** Resolves when what was kept before is known. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  /** The policy of a domain while it holds. */
  get(domain: string): KeptPolicy | null {
    const kept = this.#entries.get(domain);
    if (kept === undefined) return null;
    if (this.#clock.now() < endOf(kept)) return kept;
    this.#entries.delete(domain);
    return null;
  }

  /** Keeps a policy; it is in the store a little later. */
  set(domain: string, kept: KeptPolicy): void {
    this.#remember(domain, kept);
    const entry = { key: domain, value: JSON.stringify(kept), expiresAtMs: endOf(kept) };
    this.#tasks.run(async () => await this.#shelf?.put(SPACE, entry));
  }

  /** Waits until the store has everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loaded;
    await this.#tasks.idle();
  }

  #remember(domain: string, kept: KeptPolicy): void {
    this.#entries.delete(domain);
    const [oldest] = this.#entries.size >= MAX_ENTRIES ? this.#entries.keys() : [];
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(domain, kept);
  }

  async #load(shelf: PolicyShelf): Promise<void> {
    for (let after = ""; this.#entries.size < MAX_ENTRIES;) {
      const page = await shelf.list({ space: SPACE, after, limit: PAGE });
      for (const entry of page) this.#take(entry);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last.key;
    }
  }

  #take({ key: domain, value }: ShelfEntry): void {
    const kept = read(value);
    if (kept !== null && !this.#entries.has(domain)) this.#remember(domain, kept);
  }
}

function endOf({ policy, fetchedAtMs }: KeptPolicy): number {
  return fetchedAtMs + policy.maxAgeMs;
}

/** Null for what another version of this program may have left. */
function read(value: string): KeptPolicy | null {
  try {
    const kept: unknown = JSON.parse(value);
    return isKept(kept) ? kept : null;
  } catch {
    return null;
  }
}

function isKept(value: unknown): value is KeptPolicy {
  if (typeof value !== "object" || value === null) return false;
  const { policy, id, fetchedAtMs } = value as Partial<Record<keyof KeptPolicy, unknown>>;
  if (typeof id !== "string" || typeof fetchedAtMs !== "number") return false;
  if (typeof policy !== "object" || policy === null) return false;
  const { mode, mx, maxAgeMs } = policy as Partial<Record<keyof StsPolicy, unknown>>;
  return (mode === "enforce" || mode === "testing" || mode === "none") &&
    typeof maxAgeMs === "number" && Array.isArray(mx) &&
    mx.every((name) => typeof name === "string");
}
