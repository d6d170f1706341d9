import { type Clock, Until } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { newSecret, secretHash } from "./secrets.ts";

const MAX_SESSIONS = 1_000;

/** Whom a session belongs to; role and existence are looked up at every request. */
export interface SessionOwner {
  readonly kind: "user" | "key";
  /** Name of the user, or id of the key. */
  readonly name: string;
}

/** A session as it began. */
export interface Session {
  readonly owner: SessionOwner;
  /** The stamp of the password or secret that began it; it ends with that. */
  readonly stamp: string;
}

/** Who is signed in. Sessions end with the process; only hashes of their secrets are kept. */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #byHash = new Map<string, Session & { readonly end: Until }>();
  readonly lifetimeMs: number;

  constructor(
    { clock, random, lifetimeMs }: { clock: Clock; random: Random; lifetimeMs: number },
  ) {
    this.#clock = clock;
    this.#random = random;
    this.lifetimeMs = lifetimeMs;
  }

  /** Begins a session and returns its secret. The oldest one ends when there are too many. */
  begin({ owner, stamp }: Session): string {
    this.#forgetEnded();
    if (this.#byHash.size >= MAX_SESSIONS) {
      const [oldest] = this.#byHash.keys();
      if (oldest !== undefined) this.#byHash.delete(oldest);
    }
    const secret = newSecret(this.#random);
    const nowMs = this.#clock.now();
    const end = new Until();
    end.set(nowMs + this.lifetimeMs, nowMs);
    this.#byHash.set(secretHash(secret), { owner, stamp, end });
    return secret;
  }

  /** The session with this secret; null when there is none any more. */
  find(secret: string): Session | null {
    const session = this.#byHash.get(secretHash(secret));
    const nowMs = this.#clock.now();
    return session !== undefined && session.end.at(nowMs) > nowMs ? session : null;
  }

  end(secret: string): void {
    this.#byHash.delete(secretHash(secret));
  }

  /** Ends all sessions of somebody. */
  endAllOf({ kind, name }: SessionOwner): void {
    for (const [hash, { owner }] of this.#byHash) {
      if (owner.kind === kind && owner.name === name) this.#byHash.delete(hash);
    }
  }

  #forgetEnded(): void {
    const nowMs = this.#clock.now();
    for (const [hash, { end }] of this.#byHash) {
      if (end.at(nowMs) <= nowMs) this.#byHash.delete(hash);
    }
  }
}
