import type { Clock } from "../../base/clock.ts";
import type { JsonAnswer } from "./json_request.ts";
import type { Jwt } from "./jwt.ts";
import { readKeySet, type VerificationKey } from "./verification_key.ts";

/** Keys that may have signed a token. */
export type KeysResult =
  | { readonly kind: "ok"; readonly keys: readonly VerificationKey[] }
  | { readonly kind: "unavailable"; readonly cause: string };

/** How a key set is fetched and kept. */
export interface KeySourceOptions {
  readonly clock: Clock;
  readonly cacheMs: number;
  readonly request: () => Promise<JsonAnswer>;
}

/** How soon the issuer is asked again, for a key it had not or after a failure. */
const COOLDOWN_MS = 30_000;
/** How long keys are used when the issuer does not answer any more. */
const STALE_MS = 86_400_000;
/** Keys tried for a token that names none. */
const CANDIDATES_LIMIT = 4;

/**
 * The key set of an issuer: fetched when it is first needed, kept for a time, fetched again when a
 * token names a key that is not in it. Those who wait share one request.
 */
export class KeySource {
  readonly #options: KeySourceOptions;
  #keys: readonly VerificationKey[] | null = null;
  #fetchedAtMs = -Infinity;
  #triedAtMs = -Infinity;
  #failure = "";
  #fetching: Promise<void> | null = null;

  constructor(options: KeySourceOptions) {
    this.#options = options;
  }

  /** The keys that may have signed `jwt`; none where the issuer has no such key. */
  async keysFor(jwt: Jwt): Promise<KeysResult> {
    if (this.#ageMs() >= this.#options.cacheMs) await this.#refresh();
    let candidates = this.#candidatesFor(jwt);
    if (candidates?.length === 0) {
      await this.#refresh();
      candidates = this.#candidatesFor(jwt);
    }
    if (candidates === null) {
      return { kind: "unavailable", cause: `cannot fetch the keys of tokens: ${this.#failure}` };
    }
    return { kind: "ok", keys: candidates };
  }

  /** Null where there are no keys, or only such that are too old. */
  #candidatesFor({ algorithm, keyId }: Jwt): VerificationKey[] | null {
    if (this.#keys === null || this.#ageMs() >= this.#options.cacheMs + STALE_MS) return null;
    return this.#keys.filter((key) =>
      key.algorithm === algorithm && (keyId === null || key.keyId === keyId)
    ).slice(0, CANDIDATES_LIMIT);
  }

  #ageMs(): number {
    return this.#options.clock.monotonic() - this.#fetchedAtMs;
  }

  /** Fetches the keys, unless that was tried a moment ago. */
  #refresh(): Promise<void> {
    if (this.#fetching !== null) return this.#fetching;
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - this.#triedAtMs < COOLDOWN_MS) return Promise.resolve();
    this.#triedAtMs = nowMs;
    this.#fetching = this.#fetch().finally(() => this.#fetching = null);
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const answer = await this.#options.request();
    const keys = answer.kind === "ok" ? await readKeySet(answer.value) : null;
    if (keys === null) {
      this.#failure = answer.kind === "failed" ? answer.cause : "no key set";
      return;
    }
    this.#keys = keys;
    this.#fetchedAtMs = this.#options.clock.monotonic();
  }
}
