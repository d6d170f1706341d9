import { concatBytes } from "../../base/bytes.ts";
import type { QueuePort } from "../ports.ts";
import { safeFileName } from "./file_name.ts";
import { arrange, contentTypeOf } from "../../mail/mime/arrange.ts";
import { encodingOf, readLoose, readTextPart } from "../../mail/mime/content.ts";
import { fileNameOf } from "../../mail/mime/entity.ts";
import { bytesSource, type OctetSource } from "../../mail/mime/source.ts";
import { transferDecode } from "../../mail/mime/transfer_decode.ts";
import { type MimePart, mimeTree } from "../../mail/mime/tree.ts";

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
export async function takeApart(bytes: Uint8Array<ArrayBuffer>): Promise<ContentResult> {
  const source = bytesSource(bytes);
  const { root, isTooComplex } = await mimeTree(source);
  if (isTooComplex) return { kind: "malformed", reason: "it has too many parts" };
  const arrangement = arrange(root);
  const rich: TextPart[] = [];
  const plain: TextPart[] = [];
  for (const { text, html } of arrangement.blocks) {
    const [texts, htmls] = await Promise.all([textParts(source, text), textParts(source, html)]);
    rich.push(...(htmls.length > 0 ? htmls : texts));
    plain.push(...(texts.length > 0 ? texts : htmls));
  }
  const files = arrangement.attachments.map(({ part, isShown }, index) =>
    contentPart(part, { bytes, index, isShown })
  );
  const loose = (await readLoose(source, arrangement))
    .map(({ what, octets }, place) => looseText(octets, { what, index: files.length + place }));
  return { kind: "ok", content: { rich, plain, parts: [...files, ...loose] } };
}

async function textParts(source: OctetSource, parts: readonly MimePart[]): Promise<TextPart[]> {
  return await Promise.all(parts.map(async (part): Promise<TextPart> => ({
    kind: contentTypeOf(part) === "text/html" ? "html" : "text",
    text: (await readTextPart(source, part)).text,
  })));
}

function contentPart(
  part: MimePart,
  { bytes, index, isShown }: { bytes: Uint8Array<ArrayBuffer>; index: number; isShown: boolean },
): ContentPart {
  const mediaType = contentTypeOf(part);
  return {
    index,
    filename: safeFileName(fileNameOf(part.entity) ?? "", { mediaType, index }),
    mediaType,
    disposition: isShown ? "inline" : "attachment",
    contentId: part.entity.contentId,
    bytes: transferDecode(bytes.subarray(part.body.start, part.body.end), encodingOf(part)),
  };
}

function looseText(
  octets: Uint8Array,
  { what, index }: { what: string; index: number },
): ContentPart {
  return {
    ...{ index, filename: `${what}.txt`, mediaType: "text/plain", disposition: "attachment" },
    ...{ contentId: null, bytes: new Uint8Array(octets) },
  };
}
