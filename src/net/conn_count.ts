/** How many connections a listener holds at once. */
export interface ConnCaps {
  readonly maxConnections: number;
  /** Of one client. */
  readonly maxConnectionsPerAddress: number;
}

/** Counts connections in all and for each client. */
export class ConnCount {
  caps: ConnCaps;
  readonly #keyOf: (address: string) => string;
  readonly #perClient = new Map<string, number>();
  #total = 0;

  /** `keyOf` tells what counts as one client. */
  constructor(caps: ConnCaps, { keyOf }: { readonly keyOf: (address: string) => string }) {
    this.caps = caps;
    this.#keyOf = keyOf;
  }

  get total(): number {
    return this.#total;
  }

  /** Counts a connection of `address`; false when there is no room for it. Unix sockets have "". */
  enter(address: string): boolean {
    const key = this.#keyOf(address);
    const count = this.#perClient.get(key) ?? 0;
    const { maxConnections, maxConnectionsPerAddress } = this.caps;
    if (this.#total >= maxConnections) return false;
    if (address !== "" && count >= maxConnectionsPerAddress) return false;
    this.#total++;
    this.#perClient.set(key, count + 1);
    return true;
  }

  /** Gives back what `enter` counted. */
  leave(address: string): void {
    const key = this.#keyOf(address);
    const left = (this.#perClient.get(key) ?? 1) - 1;
    this.#total--;
    if (left === 0) this.#perClient.delete(key);
    else this.#perClient.set(key, left);
  }
}
