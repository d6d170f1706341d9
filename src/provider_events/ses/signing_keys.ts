import { type KeyObject, X509Certificate } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { decodeText } from "../../base/bytes.ts";
import { type Fetch, visit } from "./visit.ts";

const KEEP_MS = 24 * 3_600_000;
/** How long an address at which nothing was found is left alone. */
const KEEP_NOTHING_MS = 30_000;
/** Amazon has one certificate a region and year; the one that was used longest ago goes first. */
const MOST_KEYS = 32;
/** Anybody who knows a topic may name addresses at which nothing is. They take no key's place. */
const MOST_NOTHINGS = 256;
const MOST_UNDER_WAY = 8;

interface Kept {
  readonly key: KeyObject;
  readonly untilMs: number;
}

/** Public keys out of certificates at addresses, which are fetched once and kept for a day. */
export class SigningKeys {
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  readonly #nothings = new Map<string, number>();
  readonly #underWay = new Map<string, Promise<KeyObject | null>>();

  constructor({ fetch, clock }: { fetch: Fetch; clock: Clock }) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** The key at an address that may be asked; null when there is none to be had now. */
  async at(address: string): Promise<KeyObject | null> {
    const nowMs = this.#clock.monotonic();
    const known = this.#kept.get(address);
    if (known !== undefined && known.untilMs > nowMs) {
      put(this.#kept, { key: address, value: known, limit: MOST_KEYS });
      return known.key;
    }
    if ((this.#nothings.get(address) ?? 0) > nowMs) return null;
    const pending = this.#underWay.get(address);
    if (pending !== undefined) return await pending;
    if (this.#underWay.size >= MOST_UNDER_WAY) return null;
    const reading = this.#read(address).finally(() => this.#underWay.delete(address));
    this.#underWay.set(address, reading);
    const key = await reading;
    const atMs = this.#clock.monotonic();
    if (key === null) {
      const value = atMs + KEEP_NOTHING_MS;
      put(this.#nothings, { key: address, value, limit: MOST_NOTHINGS });
    } else {
      put(this.#kept, { key: address, value: { key, untilMs: atMs + KEEP_MS }, limit: MOST_KEYS });
    }
    return key;
  }

  async #read(address: string): Promise<KeyObject | null> {
    const octets = await visit(address, { fetch: this.#fetch, clock: this.#clock });
    if (octets === null) return null;
    try {
      const { publicKey } = new X509Certificate(decodeText(octets));
      return publicKey.asymmetricKeyType === "rsa" ? publicKey : null;
    } catch {
      return null; // no certificate
    }
  }
}

/** Makes an entry the youngest, and forgets the oldest where there are too many. */
function put<Value>(
  map: Map<string, Value>,
  { key, value, limit }: { key: string; value: Value; limit: number },
): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
