import type { Clock } from "../base/clock.ts";
import { FairMap } from "../base/fair_map.ts";
import { networkOf, siteOf } from "../base/ip.ts";
import { KnownSites } from "../base/known_sites.ts";
import { type Lease, Place } from "./place.ts";
import type { ThrottleRules } from "./settings.ts";

/** Who tries, and as whom; `user` is null where no name is given. */
export interface Attempt {
  readonly clientAddress: string;
  readonly user: string | null;
}

/** How an attempt ended: `none` where the credentials were not looked at. */
export type AttemptEnd = "right" | "wrong" | "none";

/** An attempt that may be checked. `end` has to follow; until then it counts as a failure. */
export interface Ticket {
  end(result: AttemptEnd): void;
}

const KEYS_LIMIT = 10_000;
/** Attempts that wait for their time, of all clients and of one network. */
const WAITING_LIMIT = 1024;
const WAITING_LIMIT_PER_NETWORK = 64;
/** How much more is free to a network than to an address, and to a client that is known. */
const NETWORK_SCALE = 4;
const KNOWN_SCALE = 4;

/**
 * Slows guesses. A guess counts as a failure from the moment that it is let in and is forgiven when
 * it was right, so that guesses side by side get no further than guesses in a row. It counts for
 *
 * - the address (the /64 of IPv6), and the network around it (/24, /48), with more room;
 * - the user as tried from that network;
 * - the user as tried from anywhere, which slows those who come from elsewhere and refuses nobody:
 *   else a stranger could keep a user out.
 *
 * A client that logged in as that user before is judged by what it does itself, and by nothing that
 * others do.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #places = new FairMap<string, Place>({
    limit: KEYS_LIMIT,
    weigh: (place) => place.weight,
  });
  readonly #known = new KnownSites();
  readonly #waiting = new Map<string, number>();
  #waitingCount = 0;
  #rules: ThrottleRules;

  constructor(rules: ThrottleRules, clock: Clock) {
    this.#rules = rules;
    this.#clock = clock;
  }

  /** Takes other rules for what comes; what is remembered stays. */
  use(rules: ThrottleRules): void {
    this.#rules = rules;
  }

  /** Lets an attempt in when its time has come; null where that is too far away. */
  admit(attempt: Attempt, signal: AbortSignal): Ticket | null | Promise<Ticket | null> {
    const ticket = this.#enter(attempt);
    return typeof ticket === "number" ? this.#wait(attempt, { firstMs: ticket, signal }) : ticket;
  }

  async #wait(
    attempt: Attempt,
    { firstMs, signal }: { firstMs: number; signal: AbortSignal },
  ): Promise<Ticket | null> {
    const network = networkOf(attempt.clientAddress);
    const ofNetwork = this.#waiting.get(network) ?? 0;
    if (this.#waitingCount >= WAITING_LIMIT || ofNetwork >= WAITING_LIMIT_PER_NETWORK) return null;
    this.#waiting.set(network, ofNetwork + 1);
    this.#waitingCount++;
    try {
      return await this.#waitInLine(attempt, { firstMs, signal });
    } finally {
      this.#waitingCount--;
      const left = (this.#waiting.get(network) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(network);
      else this.#waiting.set(network, left);
    }
  }

  async #waitInLine(
    attempt: Attempt,
    { firstMs, signal }: { firstMs: number; signal: AbortSignal },
  ): Promise<Ticket | null> {
    const startMs = this.#clock.monotonic();
    const endMs = startMs + this.#rules.maxDelayMs;
    const slowedUntilMs = startMs + this.#slowedMs(attempt);
    for (let waitMs = firstMs;;) {
      const leftMs = endMs - this.#clock.monotonic();
      // An attempt that is under way may end at any time, and with it the wait.
      if (leftMs <= 0 || waitMs !== Infinity && waitMs > leftMs) return null;
      await this.#untilChange(attempt, { delayMs: Math.min(waitMs, leftMs), signal });
      const entered = this.#enter(attempt, slowedUntilMs);
      if (typeof entered !== "number") return entered;
      waitMs = entered;
    }
  }

  /** What others who tried the user cost; it does not grow while an attempt waits. */
  #slowedMs(attempt: Attempt): number {
    const nowMs = this.#clock.monotonic();
    const slowing = this.#placesOf(attempt).filter(({ role }) => role === "slows");
    return Math.max(0, ...slowing.map(({ place }) => place.waitMs({ nowMs, rules: this.#rules })));
  }

  /** A ticket, or how long it takes until one can be had: Infinity while others are under way. */
  #enter(attempt: Attempt, slowedUntilMs?: number): Ticket | number {
    const nowMs = this.#clock.monotonic();
    const rules = this.#rules;
    const places = this.#placesOf(attempt);
    const judges = places.filter(({ role }) => role === "judges");
    const slowedMs = slowedUntilMs === undefined ? this.#slowedMs(attempt) : slowedUntilMs - nowMs;
    const waitMs = Math.max(slowedMs, ...judges.map(({ place }) => place.waitMs({ nowMs, rules })));
    if (waitMs > 0) return waitMs;
    const leases = judges.map(({ key, place }) => {
      const lease = place.begin(nowMs);
      this.#places.set(key, place);
      return { key, place, lease };
    });
    let isOpen = true;
    return {
      end: (result) => {
        if (!isOpen) return;
        isOpen = false;
        for (const { key, place, lease } of leases) this.#end({ key, place, lease, result });
        if (result === "wrong") this.#countElsewhere(attempt);
        if (result === "right" && attempt.user !== null) {
          this.#known.add({ user: attempt.user, site: siteOf(attempt.clientAddress) });
        }
      },
    };
  }

  /** A failure counts also where the attempt was not judged. */
  #countElsewhere(attempt: Attempt): void {
    for (const { key, place, role } of this.#placesOf(attempt)) {
      if (role === "judges") continue;
      const lease = place.begin(this.#clock.monotonic());
      this.#end({ key, place, lease, result: "wrong" });
    }
  }

  #end(
    { key, place, lease, result }: { key: string; place: Place; lease: Lease; result: AttemptEnd },
  ): void {
    place.end(lease, { result, nowMs: this.#clock.monotonic(), rules: this.#rules });
    if (place.isClear) this.#places.delete(key);
    else this.#places.set(key, place);
  }

  #placesOf({ clientAddress, user }: Attempt): Counted[] {
    const site = siteOf(clientAddress);
    const network = networkOf(clientAddress);
    const isKnown = user !== null && this.#known.has({ user, site });
    const counted = (key: string, role: Role, scale = 1): Counted => ({
      key,
      role,
      place: this.#places.get(key) ?? new Place(scale),
    });
    const role = isKnown ? "counts" : "judges";
    const ofClient = [counted(`a ${site}`, role), counted(`n ${network}`, role, NETWORK_SCALE)];
    if (user === null) return ofClient;
    return [
      ...ofClient,
      counted(`p ${network} ${user}`, role),
      counted(`u ${user}`, isKnown ? "counts" : "slows"),
      ...isKnown ? [counted(`k ${site} ${user}`, "judges", KNOWN_SCALE)] : [],
    ];
  }

  /** Waits until the time is over, or an attempt at one of the places has ended. */
  #untilChange(
    attempt: Attempt,
    { delayMs, signal }: { delayMs: number; signal: AbortSignal },
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const places = this.#placesOf(attempt).map(({ place }) => place);
      const finish = (then: () => void): void => {
        cancel();
        signal.removeEventListener("abort", onAbort);
        for (const place of places) place.waiters.delete(onChange);
        then();
      };
      const onChange = (): void => finish(resolve);
      const onAbort = (): void => finish(() => reject(signal.reason));
      const cancel = this.#clock.schedule(delayMs, onChange);
      signal.addEventListener("abort", onAbort, { once: true });
      for (const place of places) place.waiters.add(onChange);
    });
  }
}

/** A place where an attempt counts. */
interface Counted {
  readonly key: string;
  readonly place: Place;
  readonly role: Role;
}

/** Lets an attempt in or not; makes it wait once; remembers it if it fails. */
type Role = "judges" | "slows" | "counts";
