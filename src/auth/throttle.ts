import { parseIp } from "../base/ip.ts";
import { BoundedMap } from "./bounded_map.ts";
import { afterFailure, NO_PENALTY, type Penalty, reserved, waitOf } from "./penalty.ts";
import type { ThrottleRules } from "./settings.ts";

/** Who tries, and as whom; `user` is null where no name is given. */
export interface Attempt {
  readonly clientAddress: string;
  readonly user: string | null;
}

/** What happens to an attempt. */
export type Admission =
  | { readonly kind: "admitted"; readonly waitMs: number }
  /** Those who wait already are enough. */
  | { readonly kind: "refused" };

const KEYS_LIMIT = 10_000;
/** The two most significant groups of four that a site gets at the least (RFC 6177). */
const IPV6_SITE_OCTETS = 8;

/**
 * Slows guesses. Failures count for the address and for the user, so neither one address that
 * tries many users nor many addresses that try one user get far. A pair of both that was right
 * before is counted by itself: nobody is locked out by what others do elsewhere.
 */
export class Throttle {
  readonly #addresses = new BoundedMap<string, Penalty>(KEYS_LIMIT);
  readonly #users = new BoundedMap<string, Penalty>(KEYS_LIMIT);
  readonly #pairs = new BoundedMap<string, Penalty>(KEYS_LIMIT);
  #rules: ThrottleRules;

  constructor(rules: ThrottleRules) {
    this.#rules = rules;
  }

  /** Takes other rules for what comes; what is remembered stays. */
  use(rules: ThrottleRules): void {
    this.#rules = rules;
  }

  /** Asks for a check, which may begin when the time has passed. */
  admit(attempt: Attempt, nowMs: number): Admission {
    const places = this.#placesOf(attempt);
    const waitMs = places.reduce(
      (longest, { map, key }) => Math.max(longest, waitOf(map.get(key) ?? NO_PENALTY, nowMs)),
      0,
    );
    if (waitMs > this.#rules.maxDelayMs) return { kind: "refused" };
    for (const { map, key } of places) {
      const penalty = map.get(key);
      if (penalty === undefined) continue;
      map.set(key, reserved(penalty, { nowMs, rules: this.#rules }));
    }
    return { kind: "admitted", waitMs };
  }

  /** Remembers that credentials were wrong. */
  failed(attempt: Attempt, nowMs: number): void {
    const rules = this.#rules;
    for (const { map, key } of this.#allPlacesOf(attempt)) {
      map.set(key, afterFailure(map.get(key) ?? NO_PENALTY, { nowMs, rules }));
    }
  }

  /** Remembers that this address knows this user's credentials. */
  succeeded(attempt: Attempt): void {
    const key = pairKey(attempt);
    if (key !== null) this.#pairs.set(key, this.#pairs.get(key) ?? NO_PENALTY);
  }

  /** What an attempt is judged by. */
  #placesOf(attempt: Attempt): Place[] {
    const key = pairKey(attempt);
    if (key !== null && this.#pairs.get(key) !== undefined) return [{ map: this.#pairs, key }];
    const address = { map: this.#addresses, key: siteOf(attempt.clientAddress) };
    return attempt.user === null ? [address] : [address, { map: this.#users, key: attempt.user }];
  }

  /** What remembers a failure: the pair, where it is known, besides address and user. */
  #allPlacesOf(attempt: Attempt): Place[] {
    const { clientAddress, user } = attempt;
    const places: Place[] = [{ map: this.#addresses, key: siteOf(clientAddress) }];
    if (user !== null) places.push({ map: this.#users, key: user });
    const key = pairKey(attempt);
    if (key !== null && this.#pairs.get(key) !== undefined) places.push({ map: this.#pairs, key });
    return places;
  }
}

interface Place {
  readonly map: BoundedMap<string, Penalty>;
  readonly key: string;
}

/** The address, or for IPv6 the /64 it is in, which one client has all of. */
export function siteOf(clientAddress: string): string {
  const octets = parseIp(clientAddress);
  return octets?.length === 16
    ? octets.subarray(0, IPV6_SITE_OCTETS).toHex()
    : octets?.join(".") ?? clientAddress;
}

function pairKey({ clientAddress, user }: Attempt): string | null {
  return user === null ? null : `${siteOf(clientAddress)} ${user}`;
}
