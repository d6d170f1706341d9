import { type KeyObject, X509Certificate } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { decodeText } from "../../base/bytes.ts";
import { type Fetch, visit } from "./visit.ts";

const KEEP_MS = 24 * 3_600_000;
/** How long an address at which nothing was found is left alone. */
const KEEP_NOTHING_MS = 30_000;
/**
 * Amazon has one certificate a region and year. Anybody may name others, which are not there: no
 * more are asked for at a time, and none takes the place of one that was found.
 */
const MOST_KEPT = 16;

interface Kept {
  readonly key: Promise<KeyObject | null>;
  untilMs: number;
}

/** Public keys out of certificates at addresses, which are fetched once and kept for a day. */
export class SigningKeys {
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor({ fetch, clock }: { fetch: Fetch; clock: Clock }) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** The key at an address that may be asked; null when there is none to be had now. */
  async at(address: string): Promise<KeyObject | null> {
    const known = this.#kept.get(address);
    if (known !== undefined && known.untilMs > this.#clock.monotonic()) return await known.key;
    this.#forgetOld();
    if (this.#kept.size >= MOST_KEPT) return null;
    const kept: Kept = { key: this.#read(address), untilMs: this.#in(KEEP_MS) };
    this.#kept.set(address, kept);
    const key = await kept.key;
    if (key === null) kept.untilMs = this.#in(KEEP_NOTHING_MS);
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

  #forgetOld(): void {
    const nowMs = this.#in(0);
    for (const [address, { untilMs }] of this.#kept) {
      if (untilMs <= nowMs) this.#kept.delete(address);
    }
  }

  #in(timeMs: number): number {
    return this.#clock.monotonic() + timeMs;
  }
}
