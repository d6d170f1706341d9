import { concatBytes } from "../../base/bytes.ts";
import type { QueuePort } from "../ports.ts";
import { safeFileName } from "./file_name.ts";
import { type MimeNode, mimeTree } from "./mime_tree.ts";
import { decodeCharset } from "./parameters.ts";
import { transferDecode } from "../../mail/mime/transfer_decode.ts";

/** The largest message that is taken apart; larger ones can still be downloaded. */
export const PARSE_LIMIT_BYTES = 32 * 1024 * 1024;

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

/** A run of text in a message. */
export interface TextPart {
  readonly kind: "text" | "html";
  readonly text: string;
}

/** A message taken apart. */
export interface MessageContent {
  /** What to show where HTML can be shown, in order. */
  readonly rich: readonly TextPart[];
  /** What to show where only text can be. */
  readonly plain: readonly TextPart[];
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
    return takeApart(concatBytes(chunks));
  }
}

/** Takes a whole message apart. */
export function takeApart(bytes: Uint8Array<ArrayBuffer>): ContentResult {
  const root = mimeTree(bytes);
  if (root === null) return { kind: "malformed", reason: "it has too many parts" };
  const parts = leavesOf(root).filter((leaf) => textKind(leaf) === null).map(contentPart);
  const texts = new Map<MimeNode, TextPart>();
  return {
    kind: "ok",
    content: {
      rich: textsOf(root, { prefers: "html", texts }),
      plain: textsOf(root, { prefers: "text", texts }),
      parts,
    },
  };
}

function leavesOf(node: MimeNode): MimeNode[] {
  return node.parts === null ? [node] : node.parts.flatMap(leavesOf);
}

/** What kind of text a part shows; null for a multipart and for what is rather a file. */
function textKind(
  { type: { word, parameters }, disposition, parts }: MimeNode,
): TextPart["kind"] | null {
  if (parts !== null || disposition.word === "attachment") return null;
  if (disposition.parameters.has("filename") || parameters.has("name")) return null;
  if (word === "text/html") return "html";
  return word === "text/plain" || word === "" ? "text" : null;
}

interface Choosing {
  readonly prefers: TextPart["kind"];
  /** Those that were decoded already. */
  readonly texts: Map<MimeNode, TextPart>;
}

function textsOf(node: MimeNode, choosing: Choosing): TextPart[] {
  if (node.parts === null) return decodedText(node, choosing);
  if (node.type.word !== "multipart/alternative") {
    return node.parts.flatMap((part) => textsOf(part, choosing));
  }
  // RFC 2046 section 5.1.4: the last one is the richest.
  const ways = node.parts.map((part) => textsOf(part, choosing)).filter(({ length }) => length > 0);
  const preferred = ways.findLast((texts) => texts.some(({ kind }) => kind === choosing.prefers));
  return preferred ?? ways.at(-1) ?? [];
}

function decodedText(node: MimeNode, { texts }: Choosing): TextPart[] {
  const kind = textKind(node);
  if (kind === null) return [];
  let text = texts.get(node);
  if (text === undefined) {
    const octets = transferDecode(node.body, node.encoding);
    const charset = node.type.parameters.get("charset") ?? "utf-8";
    text = { kind, text: decodeCharset(octets, charset).replaceAll("\r\n", "\n") };
    texts.set(node, text);
  }
  return [text];
}

function contentPart(node: MimeNode, index: number): ContentPart {
  const { type, disposition, contentId, encoding, body } = node;
  const mediaType = mediaTypeOf(type.word);
  const given = disposition.parameters.get("filename") ?? type.parameters.get("name") ?? "";
  return {
    index,
    filename: safeFileName(given, { mediaType, index }),
    mediaType,
    disposition: disposition.word === "inline" ? "inline" : "attachment",
    contentId,
    bytes: transferDecode(body, encoding),
  };
}

/** RFC 6838 4.2 names, or the type of unknown octets (RFC 2046 4.5.1). */
function mediaTypeOf(word: string): string {
  return /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/.test(word)
    ? word
    : "application/octet-stream";
}
