import { concatBytes, encodeText } from "../../base/bytes.ts";
import { DotEncoder } from "../wire/dot_encoder.ts";
import type { ReplyChannel } from "./reply_channel.ts";

/** The octets of a message as a transaction sends them. */
export interface MailData {
  /** Size in octets, before transparency is added; null where only the end will tell. */
  readonly sizeBytes: number | null;
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

/** The octets, where they may leave in one write with the commands before them. */
export function inOneWrite({ bytes }: MailData): Uint8Array | null {
  return bytes !== null && bytes.length <= ONE_WRITE_BYTES ? bytes : null;
}

/**
 * Writes a message with transparency and the final dot (RFC 5321 4.5.2). False when the
 * connection took not all of it. A message that ends short never gets its dot.
 *
 * @throws what the stream throws, and Error when it has not `sizeBytes` octets.
 */
export async function sendMailData(channel: ReplyChannel, data: MailData): Promise<boolean> {
  const { dotLines } = data;
  const small = inOneWrite(data);
  if (small !== null) {
    channel.send(withFinalDot(small, dotLines));
    channel.transcript?.note(`Message of ${small.length} octets, then the final dot`);
    return true;
  }
  const encoder = new DotEncoder();
  const encode = (chunk: Uint8Array): Uint8Array =>
    dotLines === 0 ? encoder.pass(chunk) : encoder.encode(chunk);
  if (!(await writeAll(channel, data, { encode, endsMessage: false }))) return false;
  channel.send(encoder.end());
  channel.transcript?.note(`Message of ${data.sizeBytes ?? "unknown"} octets, then the final dot`);
  return true;
}

/** Writes a message as one last chunk (RFC 3030 section 2). As `sendMailData` otherwise. */
export async function sendMailChunk(
  channel: ReplyChannel,
  data: MailData & { readonly sizeBytes: number },
): Promise<boolean> {
  const small = inOneWrite(data);
  if (small !== null) {
    const shown = chunkCommand(small.length);
    channel.send(concatBytes([encodeText(shown), small]), { shown });
    return true;
  }
  channel.send(chunkCommand(data.sizeBytes));
  return await writeAll(channel, data, { encode: (chunk) => chunk, endsMessage: true });
}

/** The command in front of a message that is one chunk. */
export function chunkCommand(sizeBytes: number): string {
  return `BDAT ${sizeBytes} LAST\r\n`;
}

async function writeAll(
  channel: ReplyChannel,
  data: MailData,
  { encode, endsMessage }: {
    encode: (chunk: Uint8Array) => Uint8Array;
    /** Whether the last octet ends the message, so that it may be taken from then on. */
    endsMessage: boolean;
  },
): Promise<boolean> {
  const { bytes } = data;
  let takenBytes = 0;
  for await (const chunk of bytes === null ? data.stream() : blocksOf(bytes)) {
    takenBytes += chunk.length;
    if (await channel.write(encode(chunk))) continue;
    return endsMessage && takenBytes === data.sizeBytes;
  }
  const expectedBytes = bytes?.length ?? data.sizeBytes ?? takenBytes;
  if (takenBytes !== expectedBytes) {
    throw new Error(`Cannot send a message: it has ${expectedBytes} octets, got ${takenBytes}`);
  }
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
