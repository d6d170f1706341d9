import { DotEncoder } from "../wire/dot_encoder.ts";
import type { ReplyChannel } from "./reply_channel.ts";

/** The octets of a message as a transaction sends them. */
export interface MailData {
  /** Size in octets, before transparency is added. */
  readonly sizeBytes: number;
  /** Lines that begin with a dot; with 0 the octets are sent without being looked through. */
  readonly dotLines: number;
  /** All of it, when it is in memory; null when it must be streamed. */
  readonly bytes: Uint8Array | null;
  /** The octets in order; called when `bytes` is null. */
  stream(): AsyncIterable<Uint8Array>;
}

/** A message up to this size leaves in one write with its final dot. */
const ONE_WRITE_BYTES = 65_536;
const BLOCK_BYTES = 65_536;

/**
 * Writes a message with transparency and the final dot (RFC 5321 4.5.2). False when the
 * connection took not all of it. A message that ends short never gets its dot.
 *
 * @throws what the stream throws, and Error when it has not `sizeBytes` octets.
 */
export async function sendMailData(channel: ReplyChannel, data: MailData): Promise<boolean> {
  const { bytes, dotLines, sizeBytes } = data;
  if (bytes !== null && bytes.length <= ONE_WRITE_BYTES) {
    channel.send(withFinalDot(bytes, dotLines));
    return true;
  }
  const encoder = new DotEncoder();
  let takenBytes = 0;
  for await (const chunk of bytes === null ? data.stream() : blocksOf(bytes)) {
    takenBytes += chunk.length;
    const encoded = dotLines === 0 ? encoder.pass(chunk) : encoder.encode(chunk);
    if (!(await channel.write(encoded))) return false;
  }
  const expectedBytes = bytes === null ? sizeBytes : bytes.length;
  if (takenBytes !== expectedBytes) {
    throw new Error(`Cannot send a message: it has ${expectedBytes} octets, got ${takenBytes}`);
  }
  channel.send(encoder.end());
  return true;
}

function withFinalDot(bytes: Uint8Array, dotLines: number): Uint8Array {
  const encoder = new DotEncoder();
  const encoded = dotLines === 0 ? encoder.pass(bytes) : encoder.encode(bytes);
  const end = encoder.end();
  const joined = new Uint8Array(encoded.length + end.length);
  joined.set(encoded);
  joined.set(end, encoded.length);
  return joined;
}

/** Blocks of a size for which the time limit of one block is meant. */
function* blocksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += BLOCK_BYTES) {
    yield bytes.subarray(offset, offset + BLOCK_BYTES);
  }
}
