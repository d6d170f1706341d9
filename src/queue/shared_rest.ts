import { Buffer } from "node:buffer";
import type { BodyPlace, SpoolWriter } from "./store.ts";

/** Larger ones are not compared with those that follow. */
const COMPARED_BYTES = 64 * 1024 * 1024;
const FIRST_BUFFER_BYTES = 4 * 1024;

/** What is behind the header section of one message of a batch. */
export interface RestWriter {
  /** Copies the chunk. */
  write(chunk: Uint8Array): void | Promise<void>;
  /** Where the octets are: in the place of another message that has the same. */
  finish(): Promise<BodyPlace>;
  discard(): Promise<void>;
}

/**
 * Holds what is behind the header sections of the messages of a batch. Requests for many recipients
 * say the same to each, so every message is compared with the one before as it comes in; as long as
 * nothing differs, nothing is copied or written.
 */
export class SharedRests {
  readonly #spool: () => SpoolWriter;
  readonly #thresholdBytes: number;
  #last: { readonly octets: Uint8Array; readonly place: BodyPlace } | null = null;
  #storedBytes = 0;

  /** Those above `thresholdBytes` stand in spool files. */
  constructor({ spool, thresholdBytes }: { spool: () => SpoolWriter; thresholdBytes: number }) {
    this.#spool = spool;
    this.#thresholdBytes = thresholdBytes;
  }

  /** What the messages take of the disk, without their header sections. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Starts a message; its `finish` must come before the next one starts. */
  begin(): RestWriter {
    return new Rest({
      ...{ spool: this.#spool, thresholdBytes: this.#thresholdBytes, last: this.#last },
      keep: (octets, place) => this.#last = { octets, place },
      count: (bytes) => this.#storedBytes += bytes,
    });
  }
}

interface RestOptions {
  readonly spool: () => SpoolWriter;
  readonly thresholdBytes: number;
  /** The one before. */
  readonly last: { readonly octets: Uint8Array; readonly place: BodyPlace } | null;
  readonly keep: (octets: Uint8Array, place: BodyPlace) => void;
  readonly count: (bytes: number) => void;
}

class Rest implements RestWriter {
  readonly #options: RestOptions;
  /** How much is the same as in the one before; null when something differs. */
  #sameBytes: number | null;
  #buffer = new Uint8Array(0);
  #length = 0;
  #spool: SpoolWriter | null = null;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#sameBytes = options.last === null ? null : 0;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    const { last } = this.#options;
    if (last !== null && this.#sameBytes !== null) {
      const end = this.#sameBytes + chunk.length;
      if (isSame(last.octets.subarray(this.#sameBytes, end), chunk)) {
        this.#sameBytes = end;
        return;
      }
      const same = last.octets.subarray(0, this.#sameBytes);
      this.#sameBytes = null;
      this.#options.count(same.length);
      this.#append(same);
    }
    this.#options.count(chunk.length);
    if (this.#spool === null && this.#length + chunk.length <= COMPARED_BYTES) {
      this.#append(chunk);
      return;
    }
    return this.#pass(chunk);
  }

  async finish(): Promise<BodyPlace> {
    const { last, keep, spool, thresholdBytes } = this.#options;
    if (last !== null && this.#sameBytes === last.octets.length) return last.place;
    if (last !== null && this.#sameBytes !== null) { // the beginning of the one before
      this.#options.count(this.#sameBytes);
      this.#append(last.octets.subarray(0, this.#sameBytes));
    }
    const octets = this.#buffer.subarray(0, this.#length);
    if (this.#spool === null && octets.length <= thresholdBytes) {
      const place = { kind: "inline", bytes: octets } as const;
      keep(octets, place);
      return place;
    }
    const isWhole = this.#spool === null;
    this.#spool ??= spool();
    await this.#spool.write(octets);
    const place = { kind: "spool", name: await this.#spool.finish() } as const;
    if (isWhole) keep(octets, place);
    return place;
  }

  async discard(): Promise<void> {
    await this.#spool?.discard();
  }

  /** Writes on to a file what is too much for memory. */
  async #pass(chunk: Uint8Array): Promise<void> {
    this.#spool ??= this.#options.spool();
    await this.#spool.write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    this.#append(chunk);
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const size = Math.max(needed, this.#buffer.length * 2, FIRST_BUFFER_BYTES);
      const grown = new Uint8Array(size);
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = needed;
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one.buffer, one.byteOffset, one.length).equals(other);
}
