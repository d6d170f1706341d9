import { Buffer } from "node:buffer";
import { decodeText } from "../../base/bytes.ts";
import { withoutComments } from "../comments.ts";
import { findField, type HeaderField, headerSection, unfold } from "../headers.ts";
import { ParameterField } from "./parameters.ts";

/** A message or a part of one (RFC 2045 section 2.4), as its header section describes it. */
export interface MimeEntity {
  /**
   * `multipart`: its body is parts; `message`: its body is a message; `leaf`: its body is octets.
   */
  readonly kind: "multipart" | "message" | "leaf";
  /**
   * `text/plain` in lower case. What can be called no type is `text/plain` (RFC 2045 section 5.2),
   * or `application/octet-stream` where the part is a file.
   */
  readonly mediaType: string;
  /** The type as it is written, in lower case, where `mediaType` stands in for it; else null. */
  readonly writtenType: string | null;
  readonly type: ParameterField;
  /** The boundary of a multipart, one character an octet; null where it has none. */
  readonly boundary: string | null;
  readonly disposition: ParameterField;
  /** Content-Transfer-Encoding in lower case; `7bit` where there is none (RFC 2045 section 6.1). */
  readonly encoding: string;
  /** Without angle brackets; null where there is none. */
  readonly contentId: string | null;
  /** Whether it has a Content-Location, by which HTML may refer to it (RFC 2557). */
  readonly isLocated: boolean;
  /** Whether it is inside something that is signed or encrypted as it stands (RFC 1847). */
  readonly isSealed: boolean;
  /** Whether the header section has a field that says what kind of content it is. */
  readonly isDescribed: boolean;
}

/** A line that is longer is no boundary, so no boundary is. RFC 2046 5.1.1 allows 70. */
export const LONGEST_BOUNDARY = 1_000;

const SEALED: ReadonlySet<string> = new Set([
  "multipart/signed",
  "multipart/encrypted",
]);
/** RFC 6838 section 4.2. */
const MEDIA_TYPE = /^[a-z\d][\w!#$&^.+-]{0,126}\/[a-z\d][\w!#$&^.+-]{0,126}$/;
/** RFC 2046 sections 4 and 5, RFC 2077, 8081, 9694 and 9695, and what is used without. */
const TOP_LEVEL =
  /^(?:text|image|audio|video|application|multipart|message|model|font|haptics|example|chemical|x-[^/]+)\//;
/** Encodings that leave octets as they are, in all the ways that they are written, and charsets. */
const IDENTITY =
  /^(?:7[-_ ]?bits?|8[-_ ]?bits?|binary|none|plain|text|utf-?8|us-ascii|iso-8859-\d+|windows-125\d|)$/;

/**
 * Reads the header section of an entity that stands in `parent`, null for a whole message.
 *
 * @param isInner whether there may be parts in it; otherwise it is octets, whatever it says.
 */
export function readEntity(
  header: Uint8Array,
  { parent, isInner = true }: { parent: MimeEntity | null; isInner?: boolean },
): MimeEntity {
  const section = headerSection(header, { limitBytes: header.length });
  const field = (name: string): HeaderField | null => findField(section, name);
  const parameters = (found: HeaderField | null): ParameterField =>
    new ParameterField(found === null ? "" : valueOf(header, found));
  const contentType = field("content-type");
  const type = parameters(contentType);
  const disposition = parameters(field("content-disposition"));
  const isDigest = parent?.mediaType === "multipart/digest";
  const named = mediaTypeOf(type, {
    isDigest,
    isFile: isFile(type, disposition),
  });
  const encoding = encodingOf(header, field("content-transfer-encoding"));
  const boundary = named.mediaType.startsWith("multipart/") ? boundaryOf(type) : null;
  return {
    ...named,
    ...{ type, disposition, encoding, boundary },
    kind: isInner ? kindOf(named.mediaType, { boundary, encoding }) : "leaf",
    contentId: idOf(header, field("content-id")),
    isLocated: field("content-location") !== null,
    isSealed: parent !== null &&
      (parent.isSealed || SEALED.has(parent.mediaType)),
    isDescribed: contentType !== null,
  };
}

/** Whether the content of an entity is encoded so that its octets are not those in the message. */
export function isEncoded({ encoding }: MimeEntity): boolean {
  return !IDENTITY.test(encoding);
}

/** The name that a sender gave the content of an entity; null where there is none. */
export function fileNameOf({ type, disposition }: MimeEntity): string | null {
  const given = [
    disposition.text("filename"),
    type.text("name"),
    disposition.text("name"),
  ];
  return given.find((name) => name !== null && name !== "") ?? null;
}

function mediaTypeOf(
  { word }: ParameterField,
  { isDigest, isFile }: { isDigest: boolean; isFile: boolean },
): Pick<MimeEntity, "mediaType" | "writtenType"> {
  const usual = isDigest ? "message/rfc822" : "text/plain"; // RFC 2046 5.1.5, RFC 2045 5.2
  if (word === "") return { mediaType: usual, writtenType: null };
  if (MEDIA_TYPE.test(word) && TOP_LEVEL.test(word)) return { mediaType: word, writtenType: null };
  const isText = /^text\b/.test(word) || !isFile;
  return {
    mediaType: isText ? "text/plain" : "application/octet-stream",
    writtenType: word,
  };
}

function isFile(type: ParameterField, disposition: ParameterField): boolean {
  return disposition.word === "attachment" || disposition.has("filename") ||
    type.has("name");
}

function kindOf(
  mediaType: string,
  { boundary, encoding }: { boundary: string | null; encoding: string },
): MimeEntity["kind"] {
  if (boundary !== null) return "multipart";
  const isMessage = mediaType === "message/rfc822" ||
    mediaType === "message/global";
  return isMessage && IDENTITY.test(encoding) ? "message" : "leaf";
}

/** Blanks at its end cannot be told from those that were added on the way (RFC 2046 5.1.1). */
function boundaryOf(type: ParameterField): string | null {
  const written = type.octets("boundary") ?? "";
  if (written.length > LONGEST_BOUNDARY) return null;
  const boundary = written.replace(/[ \t]+$/, "");
  return boundary === "" ? null : boundary;
}

function encodingOf(header: Uint8Array, field: HeaderField | null): string {
  if (field === null) return "7bit";
  const written = withoutComments(valueOf(header, field)).trim().toLowerCase()
    .slice(0, 100);
  return written.replace(/^["']+|[\s"';]+$/g, "") || "7bit";
}

function idOf(header: Uint8Array, field: HeaderField | null): string | null {
  if (field === null) return null;
  const written = decodeText(Buffer.from(valueOf(header, field), "latin1"))
    .trim();
  const id = /<([^<>]+)>/.exec(written)?.[1] ?? written.replace(/[<>]/g, "");
  return id.trim() === "" ? null : id.trim();
}

/** The unfolded value of a field, one character an octet. */
function valueOf(
  header: Uint8Array,
  { valueStart, valueEnd }: HeaderField,
): string {
  const { buffer, byteOffset } = header;
  const value = Buffer.from(
    buffer,
    byteOffset + valueStart,
    valueEnd - valueStart,
  );
  return unfold(value.toString("latin1"));
}
