import { concatBytes } from "../../base/bytes.ts";
import { HEADER_SECTION_LIMIT_BYTES, headerSection } from "../../mail/headers.ts";
import type { MessageBody } from "../transport.ts";

/** The header section of a message, as much of it as fits in 256 KiB. */
export async function headerOctets(body: MessageBody): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of body.bytes === null ? body.stream() : [body.bytes]) {
    chunks.push(chunk);
    lengthBytes += chunk.length;
    const octets = chunks.length === 1 ? chunk : concatBytes(chunks);
    const { complete, bodyOffset } = headerSection(octets);
    if (complete || lengthBytes >= HEADER_SECTION_LIMIT_BYTES) {
      return octets.subarray(0, bodyOffset);
    }
  }
  return concatBytes(chunks);
}
