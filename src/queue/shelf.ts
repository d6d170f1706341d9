/** A small record that is found by its name. */
export interface ShelfEntry {
  readonly key: string;
  /** JSON, or any other text. */
  readonly value: string;
  /** From then on it is as if it were not there; null for never. */
  readonly expiresAtMs: number | null;
}

/** A small record with the space that it is in. */
export interface ShelfRecord extends ShelfEntry {
  readonly space: string;
}

/**
 * Small records that outlive the process: suppressed addresses, keys of requests, places in the
 * outbox. Each user has a space of its own, in which names are unique. Changes are on disk when
 * they resolve. Every method throws `StoreError` as the store does.
 */
export interface Shelf {
  /** Null when there is none, or its time is over. */
  get(space: string, key: string): Promise<ShelfEntry | null>;
  /** Adds an entry, or replaces the one of that name. */
  put(space: string, entry: ShelfEntry): Promise<void>;
  /** Adds an entry unless there is one; returns the one that was there. */
  claim(space: string, entry: ShelfEntry): Promise<ShelfEntry | null>;
  /** False when there was none. */
  delete(space: string, key: string): Promise<boolean>;
  /** Entries in order of their names. */
  list(request: ShelfListRequest): Promise<readonly ShelfEntry[]>;
  /** Forgets entries whose time is over; returns how many. */
  purge(limit: number): Promise<number>;
}

export interface ShelfListRequest {
  readonly space: string;
  /** Only names that contain it, ASCII case apart. */
  readonly text?: string;
  /** Only names after this one. */
  readonly after?: string;
  readonly limit: number;
}
