import type { Clock } from "../../base/clock.ts";
import { FairMap } from "../../base/fair_map.ts";
import { networkOf, siteOf } from "../../base/ip.ts";
import { KnownSites } from "../../base/known_sites.ts";

/** Addresses, networks and names that are remembered at once; the most guilty of them stay. */
const MAX_REMEMBERED = 10_000;
/** How much more a network may do than an address. */
const NETWORK_SCALE = 4;
/** How much more may be tried with one name than from one address. */
const NAME_SCALE = 10;

/**
 * Failed attempts to prove who one is, by client address: after `burst` of them, one more in each
 * `everyMs`. IPv6 addresses count by their /64, which is what one customer has (RFC 6177), and the
 * network around an address (/24, /48) has four times as many. Passwords that people chose count before
 * they are known to be wrong, so that many at once are no way around. They count for the user's name
 * too, from anywhere, with ten times as many, except where the user signed in from the same address
 * before: so guesses of others lock no user out.
 */
export class FailureLimit {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #everyMs: number;
  /** When all failures of a place are forgiven. */
  readonly #clearAtMs: FairMap<string, number>;
  readonly #known = new KnownSites();

  constructor(
    { clock, burst = 10, everyMs = 30_000 }: { clock: Clock; burst?: number; everyMs?: number },
  ) {
    this.#clock = clock;
    this.#burst = burst;
    this.#everyMs = everyMs;
    this.#clearAtMs = new FairMap({
      limit: MAX_REMEMBERED,
      weigh: (clearAtMs) => Math.max(0, (clearAtMs - clock.monotonic()) / everyMs),
    });
  }

  /** How long one must wait before the next try; 0 for not at all. */
  waitMs(address: string, name?: string): number {
    const nowMs = this.#clock.monotonic();
    return Math.max(
      0,
      ...this.#placesOf(address, name).map(({ key, scale }) => {
        const everyMs = this.#everyMs / scale;
        const clearAtMs = this.#clearAtMs.get(key) ?? 0;
        return clearAtMs - nowMs - (this.#burst * scale - 1) * everyMs;
      }),
    );
  }

  /** Counts a failure, or an attempt that may turn out to be one. */
  fail(address: string, name?: string): void {
    const nowMs = this.#clock.monotonic();
    for (const { key, scale } of this.#placesOf(address, name)) {
      const before = Math.max(this.#clearAtMs.get(key) ?? 0, nowMs);
      this.#clearAtMs.set(key, before + this.#everyMs / scale);
    }
  }

  /** Takes one failure back: what was counted while it was not known turned out well. */
  forgive(address: string, name?: string): void {
    for (const { key, scale } of this.#placesOf(address, name)) {
      const clearAtMs = this.#clearAtMs.get(key);
      if (clearAtMs === undefined) continue;
      const left = clearAtMs - this.#everyMs / scale;
      if (left <= this.#clock.monotonic()) this.#clearAtMs.delete(key);
      else this.#clearAtMs.set(key, left);
    }
    if (name !== undefined) this.#known.add({ user: name, site: siteOf(address) });
  }

  #placesOf(address: string, name?: string): { readonly key: string; readonly scale: number }[] {
    const site = siteOf(address);
    const places = [
      { key: `a ${site}`, scale: 1 },
      { key: `n ${networkOf(address)}`, scale: NETWORK_SCALE },
    ];
    if (name === undefined || this.#known.has({ user: name, site })) return places;
    return [...places, { key: `u ${name}`, scale: NAME_SCALE }];
  }
}
