import { type AttachedPart, contentTypeOf } from "../../mail/mime/arrange.ts";
import { contentPieces } from "../../mail/mime/content.ts";
import { fileNameOf } from "../../mail/mime/entity.ts";
import type { OctetSource } from "../../mail/mime/source.ts";
import { transferDecode } from "../../mail/mime/transfer_decode.ts";
import { withoutControls } from "../../mail/safe_text.ts";
import type { MimePart } from "../../mail/mime/tree.ts";
import { bytesBody, type RequestBody } from "./body.ts";
import { readRanges } from "./message_source.ts";

/** A file or an inline image of a message. */
export interface Attachment {
  /** Never empty: a part without a name gets one. */
  readonly filename: string;
  /** Media type in lower case without parameters. */
  readonly type: string;
  /** What a calendar is for (RFC 6047 2.4), in upper case; null for all else. */
  readonly method: string | null;
  /** The charset that a text says it is in; null where it says none. */
  readonly charset: string | null;
  /** The Content-ID without brackets, for parts that the HTML shows; null for files. */
  readonly contentId: string | null;
  /** Its octets as they were before they were encoded for mail. */
  readonly content: RequestBody;
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  "text/plain": "txt",
  "text/calendar": "ics",
  "text/csv": "csv",
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "message/rfc822": "eml",
  "message/global": "eml",
  "application/zip": "zip",
  "application/json": "json",
  "application/ms-tnef": "dat",
};

/** Smaller ones are read together and kept; of larger ones each is read when it is sent. */
const SMALL_BYTES = 128 * 1024;
/** What small ones may have together. */
const KEPT_BYTES = 2 * 1024 * 1024;

/** The attachments of a message in its order, none of the large ones in memory. */
export async function attachmentsOf(
  source: OctetSource,
  parts: readonly AttachedPart[],
): Promise<Attachment[]> {
  let keptBytes = 0;
  const small = parts.map(({ part: { body } }) => body).filter(({ start, end }) => {
    const isKept = end - start <= SMALL_BYTES && keptBytes + end - start <= KEPT_BYTES;
    if (isKept) keptBytes += end - start;
    return isKept;
  }).sort((one, other) => one.start - other.start);
  const octets = await readRanges(source, small);
  const byStart = new Map(small.map(({ start }, index) => [start, octets[index]]));
  return parts.map(({ part, isShown }, index) => {
    const kept = byStart.get(part.body.start);
    const content = kept === undefined
      ? partBody(source, part)
      : bytesBody(transferDecode(kept, part.encoding));
    return attachmentOf(part, { isShown, index, content });
  });
}

/** The content of a part, decoded as it is read. */
function partBody(source: OctetSource, part: MimePart): RequestBody {
  return { lengthBytes: part.contentBytes, stream: () => contentPieces(source, part) };
}

function attachmentOf(
  part: MimePart,
  { isShown, index, content }: { isShown: boolean; index: number; content: RequestBody },
): Attachment {
  const { contentId, type: field } = part.entity;
  const type = contentTypeOf(part);
  const method = type === "text/calendar" ? field.text("method") : null;
  return {
    ...{ filename: nameOf(part) ?? nameFor(type, index), type, content },
    method: method === null ? null : method.toUpperCase(),
    charset: type.startsWith("text/") ? field.text("charset")?.toLowerCase() ?? null : null,
    contentId: isShown ? contentId : null,
  };
}

/** The name of a part without the control characters, which no file has in its name. */
function nameOf({ entity }: MimePart): string | null {
  const name = withoutControls(fileNameOf(entity) ?? "").trim();
  return name === "" ? null : name;
}

/** Some providers drop a file whose name does not fit its type. */
function nameFor(type: string, index: number): string {
  const subtype = /\/([a-z0-9]{2,5})$/.exec(type)?.[1];
  const usual = /^(?:text|message)\//.test(type) ? "txt" : "bin";
  return `part-${index + 1}.${EXTENSIONS[type] ?? subtype ?? usual}`;
}
