import type { Clock } from "../../base/clock.ts";
import type { Shelf, ShelfEntry } from "../../queue/shelf.ts";
import type { LimiterCounts } from "./limiter.ts";
import type { KeptCounts, LimiterBook } from "./limiter_book.ts";

const SPACE = "limit counts";
const PAGE = 1_000;
/** What was counted is on disk after so long; a process that is killed forgets no more. */
const WRITE_AFTER_MS = 1_000;

export interface CountKeeperOptions {
  readonly book: LimiterBook;
  readonly shelf: Pick<Shelf, "list" | "put">;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Keeps in the store what limits of an hour and more have counted. */
export class CountKeeper implements AsyncDisposable {
  readonly #options: CountKeeperOptions;
  #cancel: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CountKeeperOptions) {
    this.#options = options;
    options.book.watch(() => this.#writeSoon());
  }

  /**
   * Takes up what an earlier process counted.
   *
   * @throws StoreError as the store does.
   */
  async load(): Promise<void> {
    const { book, shelf } = this.#options;
    let page = await shelf.list({ space: SPACE, limit: PAGE });
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      book.restore(page.map(countsIn));
      page = await shelf.list({ space: SPACE, limit: PAGE, after: last.key });
    }
  }

  /** Writes what is not on disk yet. Nothing must begin any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel?.();
    this.#writeChanged();
    await this.#writing;
  }

  #writeSoon(): void {
    this.#cancel ??= this.#options.clock.schedule(WRITE_AFTER_MS, () => this.#writeChanged());
  }

  #writeChanged(): void {
    const { book, onError } = this.#options;
    this.#cancel = null;
    const changed = book.takeChanged();
    this.#writing = this.#writing.then(() => this.#write(changed)).catch(onError);
  }

  async #write(changed: readonly KeptCounts[]): Promise<void> {
    await Promise.all(changed.map(({ key, counts }) => {
      const fullAtMs = Math.max(0, ...Object.values(counts));
      return this.#options.shelf.put(SPACE, {
        ...{ key, value: JSON.stringify(counts) },
        expiresAtMs: Math.ceil(fullAtMs),
      });
    }));
  }
}

/** What another version wrote is read as far as it is understood. */
function countsIn({ key, value }: ShelfEntry): KeptCounts {
  const read: unknown = JSON.parse(value);
  const counts: Record<string, number> = {};
  for (const [name, fullAtMs] of Object.entries(read ?? {})) {
    if (typeof fullAtMs === "number") counts[name] = fullAtMs;
  }
  return { key, counts } satisfies { key: string; counts: LimiterCounts };
}
