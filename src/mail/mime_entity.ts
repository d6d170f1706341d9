import { withoutComments } from "./comments.ts";
import { fieldText, findField, headerSection } from "./headers.ts";
import { type MediaType, parseMediaType, TEXT_PLAIN } from "./media_type.ts";

/** A message or a part of one (RFC 2045 section 2.4), as its header section describes it. */
export interface MimeEntity {
  /**
   * `multipart`: its body is parts; `message`: its body is a message; `leaf`: its body is octets.
   */
  readonly kind: "multipart" | "message" | "leaf";
  readonly type: MediaType;
  /** Content-Transfer-Encoding in lower case; `7bit` where there is none (RFC 2045 section 6.1). */
  readonly encoding: string;
  /** Whether it is inside something that is signed or encrypted as it stands (RFC 1847). */
  readonly isSealed: boolean;
  /** Whether the header section has a field that says what kind of content it is. */
  readonly isDescribed: boolean;
}

const MESSAGE_RFC822: MediaType = { name: "message/rfc822", boundary: null };
const SEALED: ReadonlySet<string> = new Set(["multipart/signed", "multipart/encrypted"]);

/** Reads the header section of an entity that stands in `parent`, null for a whole message. */
export function readEntity(header: Uint8Array, parent: MimeEntity | null): MimeEntity {
  const section = headerSection(header);
  const contentType = findField(section, "content-type");
  const encoding = findField(section, "content-transfer-encoding");
  const standard = parent?.type.name === "multipart/digest" ? MESSAGE_RFC822 : TEXT_PLAIN;
  const type = contentType === null ? standard : parseMediaType(fieldText(header, contentType));
  return {
    kind: kindOf(type),
    type,
    encoding: encoding === null
      ? "7bit"
      : withoutComments(fieldText(header, encoding)).trim().toLowerCase(),
    isSealed: parent !== null && (parent.isSealed || SEALED.has(parent.type.name)),
    isDescribed: contentType !== null,
  };
}

function kindOf({ name, boundary }: MediaType): MimeEntity["kind"] {
  if (name.startsWith("multipart/") && boundary !== null) return "multipart";
  return name === "message/rfc822" ? "message" : "leaf";
}
