import { concatBytes } from "../../base/bytes.ts";
import { decodeEncodedWords } from "../../mail/encoded_word.ts";
import { fieldText, HEADER_SECTION_LIMIT_BYTES, headerSection } from "../../mail/headers.ts";
import { withoutControls } from "../../mail/safe_text.ts";

/** The header section of a message, for people. */
export interface HeaderFields {
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** False when the section was too long to be read whole. */
  readonly complete: boolean;
}

/** Reads as much of a body as the header section needs, regardless of its size. */
export async function readHeaderFields(
  body: AsyncIterable<Uint8Array>,
): Promise<HeaderFields> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    lengthBytes += chunk.length;
    if (lengthBytes >= HEADER_SECTION_LIMIT_BYTES || endsSection(chunk)) break;
  }
  const start = concatBytes(chunks);
  const section = headerSection(start);
  const fields = section.fields.map((field) => ({
    name: field.name,
    value: withoutControls(decodeEncodedWords(fieldText(start, field))),
  }));
  return { fields, complete: section.complete || lengthBytes < HEADER_SECTION_LIMIT_BYTES };
}

/** Whether an empty line stands within a chunk; one across two chunks only costs another chunk. */
function endsSection(chunk: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(chunk).search(/\n\r?\n/) >= 0;
}
