import PostalMime, { type Attachment, type Email } from "postal-mime";
import { concatBytes } from "../../base/bytes.ts";
import type { QueuePort } from "../ports.ts";
import { safeFileName } from "./file_name.ts";

/** The largest message that is taken apart; larger ones can still be downloaded. */
export const PARSE_LIMIT_BYTES = 32 * 1024 * 1024;
/** How deep parts may be nested before the message is not taken apart. */
const MAX_NESTING = 64;

/** A part that is not the text of the message. */
export interface ContentPart {
  readonly index: number;
  /** Safe as the name of a file. */
  readonly filename: string;
  /** `type/subtype` in lower case. */
  readonly mediaType: string;
  readonly disposition: "attachment" | "inline";
  /** Without angle brackets. */
  readonly contentId: string | null;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A message taken apart. */
export interface MessageContent {
  readonly text: string | null;
  readonly html: string | null;
  readonly parts: readonly ContentPart[];
}

export type ContentResult =
  | { readonly kind: "ok"; readonly content: MessageContent }
  /** There is no such message. */
  | { readonly kind: "unknown" }
  /** Its octets were removed. */
  | { readonly kind: "gone" }
  | { readonly kind: "too_large"; readonly sizeBytes: number }
  | { readonly kind: "malformed"; readonly reason: string };

/** Takes messages apart when somebody looks at them; one at a time, since that keeps memory down. */
export class ContentReader {
  readonly #queue: Pick<QueuePort, "get" | "body">;
  readonly #limitBytes: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    queue: Pick<QueuePort, "get" | "body">,
    { limitBytes = PARSE_LIMIT_BYTES }: { limitBytes?: number } = {},
  ) {
    this.#queue = queue;
    this.#limitBytes = limitBytes;
  }

  /** @throws StoreError as the store does. */
  read(id: string): Promise<ContentResult> {
    const reading = this.#last.then(() => this.#read(id));
    this.#last = reading.catch(() => null);
    return reading;
  }

  async #read(id: string): Promise<ContentResult> {
    const detail = await this.#queue.get(id);
    if (detail === null) return { kind: "unknown" };
    if (!detail.hasBody) return { kind: "gone" };
    const { sizeBytes } = detail.message.facts;
    if (sizeBytes > this.#limitBytes) return { kind: "too_large", sizeBytes };
    const body = await this.#queue.body(id);
    if (body === null) return { kind: "gone" };
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return await takeApart(concatBytes(chunks));
  }
}

/** Takes a whole message apart. */
export async function takeApart(bytes: Uint8Array<ArrayBuffer>): Promise<ContentResult> {
  let email: Email;
  try {
    email = await PostalMime.parse(bytes, {
      attachmentEncoding: "arraybuffer",
      maxNestingDepth: MAX_NESTING,
      forceRfc822Attachments: true,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "malformed", reason };
  }
  return {
    kind: "ok",
    content: {
      text: email.text ?? null,
      html: email.html ?? null,
      parts: email.attachments.map(contentPart),
    },
  };
}

function contentPart(attachment: Attachment, index: number): ContentPart {
  const { content, contentId, disposition, filename, mimeType } = attachment;
  const mediaType = mediaTypeOf(mimeType);
  return {
    index,
    filename: safeFileName(filename ?? "", { mediaType, index }),
    mediaType,
    disposition: disposition === "inline" ? "inline" : "attachment",
    contentId: contentId === undefined ? null : contentId.replace(/^<|>$/g, ""),
    bytes: bytesOf(content),
  };
}

/** RFC 6838 4.2 names, or the type of unknown octets (RFC 2046 4.5.1). */
function mediaTypeOf(text: string): string {
  const lower = text.toLowerCase();
  return /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/.test(lower)
    ? lower
    : "application/octet-stream";
}

function bytesOf(content: Attachment["content"]): Uint8Array<ArrayBuffer> {
  if (typeof content === "string") return new TextEncoder().encode(content);
  return content instanceof Uint8Array
    ? content as Uint8Array<ArrayBuffer>
    : new Uint8Array(content);
}
