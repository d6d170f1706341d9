import { concatBytes, decodeLatin1 } from "../base/bytes.ts";

/** What the first octets of a TLS client tell about the name it wants. */
export type HelloName =
  /** More octets are needed. */
  | { readonly kind: "incomplete" }
  | {
    readonly kind: "complete";
    /** Null when it asks for none, or does not send a hello that can be read. */
    readonly serverName: string | null;
  };

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;
const MESSAGE_HEADER_BYTES = 4;
/** Hellos with post-quantum key shares have about 2 KiB. */
const MAX_HELLO_BYTES = 16384;
/** With records of no use between its pieces. */
const MAX_SENT_BYTES = 32768;

/**
 * Reads the server name (RFC 6066 section 3) out of a ClientHello (RFC 8446 section 4.1.2), given
 * all that the client has sent so far. It decides nothing but which certificate to show; whether
 * the hello is correct is for the TLS library to say.
 */
export function helloServerName(sent: Uint8Array): HelloName {
  const { message, mayGrow } = handshakeMessage(sent);
  const cursor = new Cursor(message);
  const type = cursor.number(1);
  const lengthBytes = cursor.number(3);
  if (message.length >= MESSAGE_HEADER_BYTES + lengthBytes) {
    const serverName = type === CLIENT_HELLO ? serverNameOf(cursor) : null;
    return { kind: "complete", serverName };
  }
  const isHopeless = !mayGrow || lengthBytes > MAX_HELLO_BYTES || sent.length > MAX_SENT_BYTES;
  return isHopeless ? { kind: "complete", serverName: null } : { kind: "incomplete" };
}

/** The contents of the handshake records at the begin of `sent`, and whether more may follow. */
function handshakeMessage(sent: Uint8Array): { message: Uint8Array; mayGrow: boolean } {
  const cursor = new Cursor(sent);
  const fragments: Uint8Array[] = [];
  while (cursor.next === HANDSHAKE_RECORD) {
    cursor.skip(3); // type, version
    fragments.push(cursor.take(cursor.number(2)));
  }
  return { message: concatBytes(fragments), mayGrow: cursor.isAtEnd };
}

function serverNameOf(cursor: Cursor): string | null {
  cursor.skip(2 + 32); // version, random
  cursor.skip(cursor.number(1)); // session id
  cursor.skip(cursor.number(2)); // cipher suites
  cursor.skip(cursor.number(1)); // compression methods
  cursor.skip(2); // length of the extensions
  while (!cursor.isAtEnd) {
    const type = cursor.number(2);
    const content = cursor.take(cursor.number(2));
    if (type === SERVER_NAME_EXTENSION) return hostNameOf(new Cursor(content));
  }
  return null;
}

function hostNameOf(list: Cursor): string | null {
  list.skip(2); // length of the list
  while (!list.isAtEnd) {
    const type = list.number(1);
    const name = list.take(list.number(2));
    if (type === HOST_NAME && name.length > 0) return decodeLatin1(name);
  }
  return null;
}

/** Reads numbers and octets in order; behind the end it reads zeros and nothing. */
class Cursor {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** The next octet, which stays; undefined at the end. */
  get next(): number | undefined {
    return this.#bytes[this.#offset];
  }

  number(octets: 1 | 2 | 3): number {
    let value = 0;
    for (const octet of this.take(octets)) value = value * 256 + octet;
    return value;
  }

  take(lengthBytes: number): Uint8Array {
    const start = this.#offset;
    this.skip(lengthBytes);
    return this.#bytes.subarray(start, start + lengthBytes);
  }

  skip(lengthBytes: number): void {
    this.#offset += lengthBytes;
  }
}
