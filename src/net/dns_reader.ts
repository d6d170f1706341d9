import { decodeText } from "../base/bytes.ts";

/** A record whose data is not read yet. */
export interface RawRecord {
  /** In lower case, without the final dot; the root is `.`. */
  readonly owner: string;
  readonly type: number;
  readonly ttlSeconds: number;
  /** Where its data begins and ends in the message. */
  readonly start: number;
  readonly end: number;
}

/** The message is none, or asks for more work than an honest one. */
export class DnsFormatError extends Error {
  override readonly name = "DnsFormatError";
}

/** More than any set of addresses, exchangers or strings that is meant to be used. */
const MAX_RECORDS = 1000;
/** RFC 1035 2.3.4, on the wire, the root included. */
const MAX_NAME_BYTES = 255;
/** The same as text; the root of a name is no octet of it. */
const MAX_NAME_CHARS = 253;
/** A name has at most 127 labels, so that no honest one needs more. */
const MAX_POINTERS = 127;
const HEADER_BYTES = 12;
const POINTER_BITS = 0xc0;
const CLASS_IN = 1;

/**
 * Reads a message (RFC 1035 section 4) in time that grows with its octets alone: each place that
 * a compression pointer leads to is read once, whatever points to it, and the records are few.
 * The library that writes queries follows ladders of pointers anew for each record, which took
 * 3.1 s for an answer of 64 KiB.
 *
 * @throws DnsFormatError
 */
export class DnsReader {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  /** Names by the place where they begin. */
  readonly #names = new Map<number, string>();
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  }

  /** Where it reads next. */
  get position(): number {
    return this.#at;
  }

  set position(at: number) {
    this.#at = at;
  }

  u8(): number {
    this.#need(1);
    return this.#view.getUint8(this.#at++);
  }

  u16(): number {
    this.#need(2);
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2);
  }

  u32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4);
  }

  octets(count: number): Uint8Array {
    this.#need(count);
    this.#at += count;
    return this.#octets.subarray(this.#at - count, this.#at);
  }

  /** A name in lower case, without the final dot; what is no letter of a host is escaped. */
  name(): string {
    const pending: { at: number; label: string }[] = [];
    let at = this.#at;
    let after = -1; // where the message goes on, once a pointer was followed
    let pointers = 0;
    let lengthBytes = 1;
    let tail: string | undefined;
    for (;;) {
      tail = this.#names.get(at);
      if (tail !== undefined) {
        if (after < 0) after = this.#endOf(at);
        break;
      }
      const length = this.#octetAt(at);
      if (length === 0) {
        if (after < 0) after = at + 1;
        tail = "";
        break;
      }
      if ((length & POINTER_BITS) === POINTER_BITS) {
        if (after < 0) after = at + 2;
        const target = ((length & ~POINTER_BITS) << 8) | this.#octetAt(at + 1);
        // RFC 1035 4.1.4: to a prior occurrence, so that there is no loop.
        if (target < HEADER_BYTES || target >= at || ++pointers > MAX_POINTERS) {
          throw new DnsFormatError("bad pointer");
        }
        pending.push({ at, label: "" });
        at = target;
        continue;
      }
      if ((length & POINTER_BITS) !== 0) throw new DnsFormatError("bad label");
      // At once, not when the name is whole: thousands of labels would be read for nothing.
      lengthBytes += 1 + length;
      if (lengthBytes > MAX_NAME_BYTES) throw new DnsFormatError("name too long");
      pending.push({ at, label: this.#label(at + 1, length) });
      at += 1 + length;
    }
    this.#at = after;
    const name = this.#remember(pending, tail);
    return name === "" ? "." : name;
  }

  /** The records of one section. */
  records(count: number): RawRecord[] {
    if (count > MAX_RECORDS) throw new DnsFormatError("too many records");
    const records: RawRecord[] = [];
    for (let index = 0; index < count; index++) {
      const owner = this.name();
      const type = this.u16();
      const isInternet = this.u16() === CLASS_IN;
      const ttl = this.u32();
      const length = this.u16();
      const start = this.#at;
      this.octets(length);
      // RFC 2181 section 8: a TTL with the highest bit set counts as zero.
      const ttlSeconds = ttl > 0x7fffffff ? 0 : ttl;
      if (isInternet) records.push({ owner, type, ttlSeconds, start, end: start + length });
    }
    return records;
  }

  /** Joins labels to what follows them, and keeps each end of the name by its place. */
  #remember(pending: readonly { at: number; label: string }[], tail: string): string {
    let name = tail;
    for (const { at, label } of pending.toReversed()) {
      if (label !== "") name = name === "" ? label : `${label}.${name}`;
      if (name.length > MAX_NAME_CHARS) throw new DnsFormatError("name too long");
      this.#names.set(at, name);
    }
    return name;
  }

  /** Behind the name that begins at `at`, which was read before. */
  #endOf(at: number): number {
    for (;;) {
      const length = this.#octetAt(at);
      if (length === 0) return at + 1;
      if ((length & POINTER_BITS) === POINTER_BITS) return at + 2;
      at += 1 + length;
    }
  }

  #label(start: number, length: number): string {
    if (start + length > this.#octets.length) throw new DnsFormatError("cut off");
    const text = decodeText(this.#octets.subarray(start, start + length)).toLowerCase();
    // RFC 1035 5.1: a dot within a label, and what no host name has, must not be taken for others.
    return /^[\w-]*$/.test(text) ? text : escaped(this.#octets.subarray(start, start + length));
  }

  #octetAt(at: number): number {
    const octet = this.#octets[at];
    if (octet === undefined) throw new DnsFormatError("cut off");
    return octet;
  }

  #need(count: number): void {
    if (this.#at + count > this.#octets.length) throw new DnsFormatError("cut off");
  }
}

function escaped(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) {
    const char = String.fromCharCode(octet).toLowerCase();
    if (/[\w-]/.test(char) && octet < 0x80) text += char;
    else if (octet > 0x20 && octet < 0x7f) text += `\\${char}`;
    else text += `\\${String(octet).padStart(3, "0")}`;
  }
  return text;
}
