import {
  arrange,
  type AttachedPart,
  contentTypeOf,
  TEXT_LIMIT_BYTES,
  type TextBlock,
} from "../../mail/mime/arrange.ts";
import { contentPieces, findLoose, readTextPart } from "../../mail/mime/content.ts";
import { fileNameOf } from "../../mail/mime/entity.ts";
import { type OctetSource, pieceByPiece } from "../../mail/mime/source.ts";
import { type MimePart, mimeTree } from "../../mail/mime/tree.ts";
import type { QueuePort } from "../ports.ts";
import { safeFileName } from "./file_name.ts";

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
  /** How many octets it has, decoded. */
  readonly sizeBytes: number;
  /** Its octets, decoded while they are read; each chunk is the reader's own. */
  stream(): AsyncIterable<Uint8Array>;
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
  | { readonly kind: "malformed"; readonly reason: string };

/**
 * Takes messages of any size apart when somebody looks at them, without holding them. One at a
 * time, since the text of each is in memory.
 */
export class ContentReader {
  readonly #queue: Pick<QueuePort, "get" | "body">;
  #last: Promise<unknown> = Promise.resolve();

  constructor(queue: Pick<QueuePort, "get" | "body">) {
    this.#queue = queue;
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
    try {
      return await takeApart({
        sizeBytes,
        bytes: null,
        stream: (options) => this.#octets(id, options),
      });
    } catch (error) {
      if (error instanceof GoneError) return { kind: "gone" };
      throw error;
    }
  }

  async *#octets(
    id: string,
    options: Parameters<OctetSource["stream"]>[0],
  ): AsyncGenerator<Uint8Array> {
    const body = await this.#queue.body(id, options);
    if (body === null) throw new GoneError();
    yield* body;
  }
}

/** The octets were removed while they were read. */
class GoneError extends Error {
  override readonly name = "GoneError";
}

/** Takes a message apart; its text is in memory afterwards, its files are read when they are. */
export async function takeApart(source: OctetSource): Promise<ContentResult> {
  const { root, isTooComplex } = await mimeTree(source);
  if (isTooComplex) return { kind: "malformed", reason: "it has too many parts" };
  const arrangement = arrange(root);
  const { shown, others } = withinLimit(arrangement.blocks);
  const rich: TextPart[] = [];
  const plain: TextPart[] = [];
  for (const { text, html } of shown) {
    const texts = await textParts(source, text);
    const htmls = await textParts(source, html);
    rich.push(...(htmls.length > 0 ? htmls : texts));
    plain.push(...(texts.length > 0 ? texts : htmls));
  }
  const files = [...arrangement.attachments, ...others]
    .map((file, index) => contentPart(source, { ...file, index }));
  const loose = (await findLoose(source, arrangement)).map(({ what, range }, place) => ({
    ...{ index: files.length + place, filename: `${what}.txt`, mediaType: "text/plain" },
    ...{ disposition: "attachment" as const, contentId: null, sizeBytes: range.end - range.start },
    stream: () => owned(pieceByPiece(source, range)),
  }));
  return { kind: "ok", content: { rich, plain, parts: [...files, ...loose] } };
}

/** The texts that are shown; those that are too many for the memory are files. */
function withinLimit(
  blocks: readonly TextBlock[],
): { shown: TextBlock[]; others: AttachedPart[] } {
  const shown: TextBlock[] = [];
  const others: AttachedPart[] = [];
  let leftBytes = TEXT_LIMIT_BYTES;
  for (const block of blocks) {
    const parts = [...new Set([...block.text, ...block.html])];
    const sizeBytes = parts.reduce((sum, { contentBytes }) => sum + contentBytes, 0);
    if (sizeBytes > leftBytes) {
      others.push(...parts.map((part) => ({ part, isShown: false })));
      continue;
    }
    leftBytes -= sizeBytes;
    shown.push(block);
  }
  return { shown, others };
}

async function textParts(source: OctetSource, parts: readonly MimePart[]): Promise<TextPart[]> {
  return await Array.fromAsync(parts, async (part): Promise<TextPart> => ({
    kind: contentTypeOf(part) === "text/html" ? "html" : "text",
    text: (await readTextPart(source, part)).text,
  }));
}

function contentPart(
  source: OctetSource,
  { part, isShown, index }: AttachedPart & { readonly index: number },
): ContentPart {
  const mediaType = contentTypeOf(part);
  return {
    index,
    filename: safeFileName(fileNameOf(part.entity) ?? "", { mediaType, index }),
    mediaType,
    disposition: isShown ? "inline" : "attachment",
    contentId: part.entity.contentId,
    sizeBytes: part.contentBytes,
    stream: () => owned(contentPieces(source, part)),
  };
}

/** Pieces that stay good after the next one. */
async function* owned(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield piece.slice();
}
