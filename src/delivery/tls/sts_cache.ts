import type { Clock } from "../../base/clock.ts";
import type { JsonFile } from "./json_file.ts";
import type { StsPolicy } from "./sts_policy.ts";

/** A policy that was fetched. */
export interface KeptPolicy {
  readonly policy: StsPolicy;
  /** That of the TXT record when it was fetched. */
  readonly id: string;
  readonly fetchedAtMs: number;
}

/** Changes are gathered for so long before they are written. */
const WRITE_DELAY_MS = 1000;
const MAX_ENTRIES = 10_000;

/**
 * Policies by domain for as long as they hold, through restarts where there is a file: a domain's
 * word counts even while somebody keeps it from being heard again (RFC 8461 section 3.3).
 */
export class StsCache implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #file: JsonFile | null;
  readonly #onError: (error: unknown) => void;
  readonly #loaded: Promise<void>;
  readonly #entries = new Map<string, KeptPolicy>();
  #cancelWrite: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    { clock, file, onError }: {
      clock: Clock;
      file: JsonFile | null;
      onError: (error: unknown) => void;
    },
  ) {
    this.#clock = clock;
    this.#file = file;
    this.#onError = onError;
    this.#loaded = this.#load();
  }

  /** Resolves when what was kept before is known. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  /** The policy of a domain while it holds. */
  get(domain: string): KeptPolicy | null {
    const kept = this.#entries.get(domain);
    if (kept === undefined) return null;
    if (this.#clock.now() < kept.fetchedAtMs + kept.policy.maxAgeMs) return kept;
    this.#entries.delete(domain);
    return null;
  }

  set(domain: string, kept: KeptPolicy): void {
    this.#entries.delete(domain);
    const [oldest] = this.#entries.size >= MAX_ENTRIES ? this.#entries.keys() : [];
    if (oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(domain, kept);
    if (this.#file === null || this.#cancelWrite !== null) return;
    this.#cancelWrite = this.#clock.schedule(WRITE_DELAY_MS, () => this.#startWriting());
  }

  /** Writes what is not written yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loaded;
    if (this.#cancelWrite !== null) {
      this.#cancelWrite();
      this.#startWriting();
    }
    await this.#writing;
  }

  #startWriting(): void {
    this.#cancelWrite = null;
    this.#writing = this.#writing.then(async () => {
      await this.#file?.write(Object.fromEntries(this.#entries));
    }).catch(this.#onError);
  }

  async #load(): Promise<void> {
    const value = await this.#file?.read();
    if (typeof value !== "object" || value === null) return;
    for (const [domain, kept] of Object.entries(value)) {
      if (isKept(kept) && !this.#entries.has(domain)) this.#entries.set(domain, kept);
    }
  }
}

/** The file may be of another version, or of somebody's hand. */
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
