import { createHmac } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { BoundedMap } from "../base/bounded_map.ts";
import type { Proof } from "./sasl/mechanism.ts";

/** A client that logged in: from where, and as whom. */
export interface LoginKey {
  readonly site: string;
  readonly user: string;
}

interface Entry {
  readonly proofs: BoundedMap<string, { readonly proof: Proof; readonly untilMs: number }>;
  missesLeft: number;
}

const LOGINS_LIMIT = 10_000;
const PASSWORDS_PER_LOGIN = 8;
/** Wrong passwords that an entry bears; without a limit it would be a way to guess at full speed. */
const MISSES = 3;

/**
 * Passwords that were right a moment ago, so that a busy client does not cost a hash for each of
 * its connections. Kept are digests under a key that only this process has; an entry serves the
 * address it came from, so it tells nobody else anything.
 */
export class LoginCache {
  readonly #clock: Clock;
  readonly #key: Uint8Array<ArrayBuffer>;
  readonly #logins = new BoundedMap<string, Entry>(LOGINS_LIMIT);
  #keepMs: number;

  constructor(
    { clock, random, keepMs }: { clock: Clock; random: Random; keepMs: number },
  ) {
    this.#clock = clock;
    this.#key = random.fill(new Uint8Array(32));
    this.#keepMs = keepMs;
  }

  /** Forgets everything, as after a change of users, and keeps what comes for `keepMs`. */
  reset(keepMs: number): void {
    this.#keepMs = keepMs;
    this.#logins.clear();
  }

  /** Whose the password is; null where it has to be hashed to know. */
  find(login: LoginKey, password: string): Proof | null {
    const key = keyOf(login);
    const entry = this.#logins.get(key);
    if (entry === undefined) return null;
    const found = entry.proofs.get(this.#digestOf(login, password));
    if (found !== undefined && this.#clock.monotonic() < found.untilMs) return found.proof;
    if (found === undefined && --entry.missesLeft <= 0) this.#logins.delete(key);
    return null;
  }

  /** Remembers a password that was right. */
  add(login: LoginKey, { password, proof }: { password: string; proof: Proof }): void {
    if (this.#keepMs === 0) return;
    const key = keyOf(login);
    const entry = this.#logins.get(key) ??
      { proofs: new BoundedMap(PASSWORDS_PER_LOGIN), missesLeft: MISSES };
    const untilMs = this.#clock.monotonic() + this.#keepMs;
    entry.proofs.set(this.#digestOf(login, password), { proof, untilMs });
    this.#logins.set(key, entry);
  }

  #digestOf(login: LoginKey, password: string): string {
    return createHmac("sha256", this.#key).update(`${keyOf(login)}\0${password}`).digest("base64");
  }
}

function keyOf({ site, user }: LoginKey): string {
  return `${site}\0${user}`;
}
