import type { Clock } from "../base/clock.ts";
import type { Shelf, ShelfEntry } from "./shelf.ts";

const PAGE = 1_000;
/** What was counted is on disk after so long; a process that is killed forgets no more. */
const WRITE_AFTER_MS = 1_000;

/** What somebody counted of one thing, and which one it is. */
export interface KeptCounts {
  readonly key: string;
  readonly counts: Readonly<Record<string, number>>;
  /** From then on it says nothing any more. */
  readonly expiresAtMs: number;
}

/** Counts that have to outlive the process. */
export interface CountBook {
  /** Calls `onChange` whenever there is something for `takeChanged`. */
  watch(onChange: () => void): void;
  /** What changed since it was asked last. */
  takeChanged(): readonly KeptCounts[];
  /** Takes up what an earlier process counted. */
  restore(kept: readonly Omit<KeptCounts, "expiresAtMs">[]): void;
}

/** What counts are kept, and where. */
export interface CountKeeperOptions {
  readonly book: CountBook;
  /** The space of the shelf in which they stand. */
  readonly space: string;
  readonly shelf: Pick<Shelf, "list" | "put">;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Keeps in the store what limits of an hour and more have counted, so that a restart is no gift. */
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
    const { book, shelf, space } = this.#options;
    let page = await shelf.list({ space, limit: PAGE });
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      book.restore(page.map(countsIn));
      page = await shelf.list({ space, limit: PAGE, after: last.key });
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
    const { shelf, space } = this.#options;
    await Promise.all(
      changed.map(({ key, counts, expiresAtMs }) =>
        shelf.put(space, { key, value: JSON.stringify(counts), expiresAtMs })
      ),
    );
  }
}

/** What another version wrote is read as far as it is understood. */
function countsIn({ key, value }: ShelfEntry): Omit<KeptCounts, "expiresAtMs"> {
  const counts: Record<string, number> = {};
  for (const [name, count] of Object.entries(readObject(value))) {
    if (typeof count === "number") counts[name] = count;
  }
  return { key, counts };
}

function readObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
