import { encodeText } from "../../base/bytes.ts";
import type { MessageBody } from "../../delivery/transport.ts";

/** How many octets are encoded at a time: a multiple of three, for base64. */
const WINDOW_BYTES = 48 * 1024;

/** The body of a request: its length is known before the first octet leaves. */
export interface RequestBody {
  readonly lengthBytes: number;
  /** The octets in order, from the beginning at each call. */
  stream(options?: StreamOptions): AsyncIterable<Uint8Array>;
}

/** How octets are read. */
export interface StreamOptions {
  /**
   * Each chunk is good only until the next one is asked for, so that a message of any size needs
   * one buffer. For readers that are done with a chunk by then.
   */
  readonly reuse?: boolean;
}

const REUSE: StreamOptions = { reuse: true };

/** A body that is in memory. */
export function bytesBody(bytes: Uint8Array): RequestBody {
  return {
    lengthBytes: bytes.length,
    async *stream() {
      yield await Promise.resolve(bytes);
    },
  };
}

/** Text as UTF-8. */
export function textBody(text: string): RequestBody {
  return bytesBody(encodeText(text));
}

/** The octets of a message as they are. */
export function rawBody(message: MessageBody): RequestBody {
  return { lengthBytes: message.sizeBytes, stream: (options) => message.stream(options) };
}

/** Bodies one after the other. */
export function joinedBody(parts: readonly RequestBody[]): RequestBody {
  return {
    lengthBytes: parts.reduce((total, part) => total + part.lengthBytes, 0),
    async *stream(options) {
      for (const part of parts) yield* part.stream(options);
    },
  };
}

/** A body in base64 (RFC 4648 section 4), on one line, encoded as it passes. */
export function base64Body(source: RequestBody): RequestBody {
  return {
    lengthBytes: Math.ceil(source.lengthBytes / 3) * 4,
    stream: () => encodeBase64(source.stream(REUSE)),
  };
}

/**
 * A message as the inside of a JSON string (RFC 8259 section 7). Null when its octets are not
 * UTF-8, which no JSON text can carry. The message is read once to learn the length.
 */
export async function jsonTextBody(
  message: Pick<MessageBody, "stream">,
): Promise<RequestBody | null> {
  let lengthBytes = 0;
  try {
    for await (const piece of escapeJson(message.stream(REUSE))) lengthBytes += piece.length;
  } catch (error) {
    if (error instanceof NotUtf8Error) return null;
    throw error;
  }
  return { lengthBytes, stream: () => escapeJson(message.stream(REUSE)) };
}

async function* encodeBase64(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  for await (const chunk of source) {
    for (const piece of windowsOf(chunk)) {
      const octets = rest.length === 0 ? piece : joinTwo(rest, piece);
      const whole = octets.length - octets.length % 3;
      if (whole > 0) yield encodeText(octets.subarray(0, whole).toBase64());
      rest = octets.slice(whole);
    }
  }
  if (rest.length > 0) yield encodeText(rest.toBase64());
}

class NotUtf8Error extends Error {}

async function* escapeJson(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for await (const chunk of source) {
    for (const piece of windowsOf(chunk)) {
      yield encodeText(JSON.stringify(decodeStrictly(decoder, piece)).slice(1, -1));
    }
  }
  decodeStrictly(decoder, null);
}

/** Decodes a piece, or with null makes sure that nothing is left half. */
function decodeStrictly(decoder: TextDecoder, piece: Uint8Array | null): string {
  try {
    return piece === null ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch {
    throw new NotUtf8Error();
  }
}

/** Cuts a chunk into pieces small enough that encoding one of them costs little memory. */
function* windowsOf(chunk: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < chunk.length; from += WINDOW_BYTES) {
    yield chunk.subarray(from, from + WINDOW_BYTES);
  }
}

function joinTwo(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
